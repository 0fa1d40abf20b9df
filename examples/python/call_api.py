"""Calls an API with the token of a connection, and prints its reply: `python call_api.py exact-nl https://…`.

Takes the environment variable TOKEN_BROKER_URL (the output `ApiUrl` of the deployment, or what `npm start` prints) and
credentials as boto3 finds them; `pip install boto3`.
"""

import os
import pathlib
import sys

# In a program of your own: copy token_broker.py beside it.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients" / "python"))

from token_broker import TokenBroker, TokenBrokerError  # noqa: E402

broker = TokenBroker(os.environ["TOKEN_BROKER_URL"])


def main(connection: str, url: str) -> int:
    try:
        reply = broker.request(connection, "GET", url)
    except TokenBrokerError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    print(reply.status, reply.text)
    return 0 if reply.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
