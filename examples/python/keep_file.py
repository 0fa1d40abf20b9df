"""Keeps the headers of a connection in a file, for a program that reads them there: `python keep_file.py exact-nl FILE`.

The file is a JSON object, readable by its owner alone, and replaced as a whole as soon as there is a newer token. Takes
the environment variables of call_api.py. Runs until it is stopped; a broker that is down is waited for.
"""

import json
import os
import pathlib
import sys
import time

# In a program of your own: copy token_broker.py beside it.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients" / "python"))

from token_broker import Token, TokenBroker, TokenBrokerError  # noqa: E402

# The client asks the broker when it is time, and answers from memory in between.
LOOK_EVERY_SECONDS = 1


def write(file: pathlib.Path, token: Token) -> None:
    new = file.with_name(f".{file.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump({"headers": dict(token.headers), "expires_at": token.expires_at}, out)
    new.replace(file)


def main(connection: str, path: str) -> None:
    broker, written, failed = TokenBroker(os.environ["TOKEN_BROKER_URL"]), None, None
    while True:
        try:
            token = broker.token(connection)
            if token is not written:
                write(pathlib.Path(path), token)
                written, failed = token, None
        except TokenBrokerError as error:
            if error.code != failed:
                print(f"{error.code}: {error}", file=sys.stderr)
            failed = error.code
        time.sleep(LOOK_EVERY_SECONDS)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
