"""The Python client, case by case of the table that clients in every language are held to (cases.json)."""

import collections
import copy
import gc
import importlib.util
import json
import os
import pathlib
import sys
import threading
import unittest
from datetime import datetime, timezone
from email.message import Message

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "clients" / "python"))

import token_broker  # noqa: E402
from token_broker import Response, Token, TokenBroker, TokenBrokerError, World  # noqa: E402

table = json.loads((here / "cases.json").read_text())
url = "https://broker.example/base"
start_of_time = round(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() * 1_000)
# Real seconds: a thread that has not come back by then never will.
patience = 20


class Sleeper:
    def __init__(self, changed, at):
        self.changed = changed
        self.at = at
        self.awake = False


class VirtualWorld(World):
    """Time that passes only when every thread waits for it, and a network on which exactly these exchanges happen."""

    def __init__(self, chance, ahead):
        self.milliseconds = 0
        self._chance = chance
        self._ahead = ahead
        self._quiet = threading.Condition(threading.Lock())
        self._running = 0
        self._sleepers = []
        self.expected = collections.deque()
        self.faults = []
        # Replies to questions in the background are held back until their callers have returned.
        self._background = threading.Condition()

    def now(self):
        return self.milliseconds

    def time_of_day(self):
        return start_of_time + self.milliseconds + self._ahead

    def chance(self):
        return self._chance

    def start(self, work):
        with self._quiet:
            self._running += 1

        def run():
            try:
                work()
            except BaseException as error:  # noqa: BLE001
                self.faults.append(f"a thread ended by {error!r}")
            finally:
                self._rest()

        threading.Thread(target=run, daemon=True).start()

    def _rest(self):
        with self._quiet:
            self._one_rests()

    def _one_rests(self):
        self._running -= 1
        if self._running == 0:
            self._quiet.notify_all()

    def wait(self, changed, milliseconds):
        assert milliseconds > 0, "a wait for nothing would never end"
        sleeper = Sleeper(changed, self.milliseconds + milliseconds)
        with self._quiet:
            self._sleepers.append(sleeper)
            self._one_rests()
        while not sleeper.awake:
            changed.wait()

    def notify(self, changed):
        self._wake([sleeper for sleeper in self._sleepers if sleeper.changed is changed])

    def _wake(self, sleepers):
        """The lock of what they wait for is held."""
        with self._quiet:
            for sleeper in sleepers:
                if not sleeper.awake:
                    sleeper.awake = True
                    self._running += 1
                    self._sleepers.remove(sleeper)
        for changed in {sleeper.changed for sleeper in sleepers}:
            changed.notify_all()

    def answer_background(self):
        with self._background:
            self.notify(self._background)
        self.settle()

    def settle(self):
        """Lets everything happen that can happen without time passing."""
        with self._quiet:
            assert self._quiet.wait_for(lambda: self._running == 0, patience), "a thread does not come to rest"

    def ring(self, until=None):
        """Moves on to the next instant that a thread waits for; false if there is none by then."""
        self.settle()
        sleepers = [sleeper for sleeper in self._sleepers if sleeper.at is not None]
        if not sleepers:
            return False
        first = min(sleepers, key=lambda sleeper: sleeper.at)
        if until is not None and first.at > until:
            return False
        self.milliseconds = max(self.milliseconds, first.at)
        with first.changed:
            self._wake([first])
        self.settle()
        return True

    def move_to(self, seconds):
        until = round(seconds * 1_000)
        while self.ring(until):
            pass
        self.milliseconds = max(self.milliseconds, until)

    def send(self, request, time_out, most_bytes=None):
        exchange = self.expected.popleft() if self.expected else None
        given = {"method": request.method}
        headers = {name.lower(): value for name, value in request.headers.items()}
        to_broker = request.url.startswith(url)
        given["path" if to_broker else "url"] = request.url[len(url) :] if to_broker else request.url
        body = request.body if request.body is None or isinstance(request.body, bytes) else b"".join(request.body)
        if body is not None:
            given["body"] = json.loads(body) if to_broker else body.decode()
        if to_broker:
            assert headers["authorization"] == "Bearer a-jwt"
        else:
            given["authorization"] = headers["authorization"]
        at = exchange and exchange.get("at")
        if exchange is None or given != exchange["request"] or (at is not None and round(at * 1_000) != self.milliseconds):
            self.faults.append(f"at {self.milliseconds} ms: {given} instead of {exchange}")
            raise OSError("not expected")
        return self._answer(exchange, self.milliseconds)

    def _answer(self, exchange, started_at):
        reply = exchange["reply"]
        silence = threading.Condition()
        if reply.get("no_reply") == "refused":
            raise ConnectionRefusedError(111, "Connection refused")
        if "no_reply" in reply:
            with silence:
                self.wait(silence, 10**9)
            raise TimeoutError
        if exchange.get("background"):
            with self._background:
                self.wait(self._background, 10**9)
        if exchange.get("after"):
            with silence:
                self.wait(silence, round(exchange["after"] * 1_000))
        return response_of(reply, start_of_time + started_at)


def iso(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def response_of(reply, now):
    """What the broker's reply says, at this moment of its clock."""
    kind = "application/json"
    if "token" in reply:
        given = dict(reply["token"])
        text, margin = f"token-{given['generation']}", given.pop("margin", 30)
        status, extra = 200, {}
        body = {
            "connection": "demo",
            "access_token": text,
            "token_type": "Bearer",
            "expires_at": iso(now + given["expires_in"] * 1_000),
            "refresh_after": iso(now + (given["expires_in"] - margin) * 1_000),
            "headers": {"Authorization": f"Bearer {text}"},
            **given,
        }
    elif "problem" in reply:
        body, kind, status = {"detail": "A detail.", **reply["problem"]}, "application/problem+json", reply["problem"]["status"]
        extra = {"retry-after": str(body["retry_after"])} if "retry_after" in body else {}
    elif "text" in reply:
        told = reply["text"]
        return response(told["status"], {"content-type": told["content_type"]}, told["body"].encode())
    else:
        told = reply.get("bare") or reply["api"]
        status, extra, body = told["status"], told.get("headers", {}), {"message": "As it says"}
    return response(status, {"content-type": kind, **extra}, json.dumps(body).encode())


def response(status, headers, body):
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return Response(status, message, body)


def call(broker, step):
    connection, timeout = step["connection"], step.get("time_out")
    if step["call"] == "token":
        return broker.token(connection, min_ttl=step.get("min_ttl"), timeout=timeout)
    if step["call"] == "reject":
        return broker.reject(connection, step["generation"], status=step.get("status"), timeout=timeout)
    stream = step.get("body_stream")
    body = step.get("body") if stream is None else iter([stream.encode()])
    return broker.request(connection, step.get("method", "GET"), step["url"], body=body)


def outcome_of(result):
    """What a call came to, in the words of the table."""
    if isinstance(result, Token):
        return {"returns": {"generation": result.generation, "access_token": result.access_token}}
    if isinstance(result, Response):
        return {"returns": {"status": result.status}}
    if not isinstance(result, TokenBrokerError):
        return {"raised": repr(result)}
    return {
        "fails": {
            "code": result.code,
            "retryable": result.retryable,
            "status": result.status,
            "cause": result.reason,
            "faults": result.faults,
            "downstream_errors": result.downstream_errors,
            "retry_after": result.retry_after,
        }
    }


class Cases(unittest.TestCase):
    maxDiff = None

    def play(self, case):
        world = VirtualWorld(case.get("chance", 0), case.get("clock_ahead", 0) * 1_000)
        broker = TokenBroker(url, bearer=case.get("jwt", "a-jwt"), world=world)
        for step in case["steps"]:
            world.move_to(step["at"])
            world.expected.extend(copy.deepcopy(step["exchanges"]))
            # Threads are dearer than promises.
            results, callers = [], min(step.get("callers", 1), 50)

            def caller():
                try:
                    results.append(call(broker, step))
                except BaseException as error:  # noqa: BLE001
                    results.append(error)

            for _ in range(callers):
                world.start(caller)
            world.settle()
            while len(results) < callers and world.ring():
                pass
            self.assertEqual(len(results), callers, f"at {step['at']} s: callers wait for ever")
            if "ends_at" in step:
                self.assertAlmostEqual(world.milliseconds / 1_000, step["ends_at"], 2)
            world.answer_background()
            self.assertEqual((world.faults, list(world.expected)), ([], []), f"at {step['at']} s")
            expected = {key: step[key] for key in ("returns", "fails") if key in step}
            for result in results:
                outcome = outcome_of(result)
                for words in step.get("fails", {}).get("says", []):
                    self.assertIn(words, str(result))
                for key, members in expected.items():
                    members = {name: value for name, value in members.items() if name != "says"}
                    told = {name: outcome.get(key, outcome).get(name) for name in members}
                    self.assertEqual(told, members, f"at {step['at']} s: {outcome}")


def add(case):
    def test(self):
        self.play(case)

    setattr(Cases, f"test_{case['name']}", test)


for each in table["cases"]:
    add(each)


class Client(unittest.TestCase):
    def test_its_constants_are_those_of_the_table(self):
        seconds = {
            name: list(value) if name.endswith("share_of_margin") else scaled(value)
            for name, value in token_broker.TIMING.items()
        }
        told = {name.removesuffix("_seconds"): value for name, value in table["constants"].items()}
        self.assertEqual(seconds, told)

    def test_no_token_in_what_is_printed(self):
        body = json.loads(response_of({"token": {"generation": 1, "expires_in": 60}}, start_of_time).body)
        token = Token(body, 1.0)
        for text in (repr(token), str(token), f"{token.headers}", repr(token.headers), repr([token]), repr(vars_of(token))):
            self.assertNotIn("token-1", text)
        self.assertEqual(dict(token.headers)["Authorization"], "Bearer token-1")

    def test_unusable_urls_are_refused_and_not_repeated(self):
        for given in ("", "x", "http://broker.example", "https://a:secret@b.example", "https://b.example?secret=1", None):
            with self.assertRaises(TokenBrokerError) as raised:
                TokenBroker(given)
            self.assertEqual(raised.exception.code, "invalid_request")
            self.assertNotIn("secret", str(raised.exception))
        for given in ("http://127.0.0.1:8790", "http://localhost:1/", "http://[::1]:1", "https://b.example/base/"):
            TokenBroker(given)

    def test_names_that_are_none_are_refused(self):
        for name in ("", "Demo", "a/b", "-a", "a" * 64):
            with self.assertRaises(TokenBrokerError):
                TokenBroker(url).token(name)

    def test_a_jwt_that_cannot_be_had(self):
        def broken():
            raise OSError("secret of the issuer")

        for bearer in (broken, lambda: None, lambda: "two words", ""):
            world = VirtualWorld(0, 0)
            with self.assertRaises(TokenBrokerError) as raised:
                TokenBroker(url, bearer=bearer, world=Straight(world)).token("demo")
            self.assertEqual((raised.exception.code, raised.exception.retryable), ("no_credentials", False))
            self.assertNotIn("secret", str(raised.exception))

    @unittest.skipUnless(importlib.util.find_spec("botocore"), "no botocore here")
    def test_a_clock_that_is_off_is_set_right_by_the_reply(self):
        sent = []

        class Off(World):
            def send(self, request, time_out, most_bytes=None):
                sent.append(request.headers["X-Amz-Date"])
                if len(sent) == 1:
                    date = "Thu, 01 Jan 2026 00:00:00 GMT"
                    return response(403, {"date": date}, b'{"message":"Signature expired"}')
                return response_of({"token": {"generation": 1, "expires_in": 60}}, start_of_time)

        from botocore.credentials import Credentials

        broker = TokenBroker(url, credentials=Credentials("AKID", "secret"), region="us-east-1", world=Off())
        self.assertEqual(broker.token("demo").generation, 1)
        self.assertEqual(len(sent), 2)
        self.assertTrue(sent[1].startswith("20260101T0000"))

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_fork_leaves_requests_with_the_parent(self):
        asked, answer = threading.Event(), threading.Event()

        class Slow(World):
            def send(self, request, time_out, most_bytes=None):
                asked.set()
                answer.wait(patience)
                return response_of({"token": {"generation": 1, "expires_in": 60}}, start_of_time)

        broker = TokenBroker(url, bearer="a-jwt", world=Slow())
        caller = threading.Thread(target=lambda: broker.token("demo"))
        caller.start()
        self.assertTrue(asked.wait(patience))
        child = os.fork()
        if child == 0:
            answer.set()
            os._exit(0 if broker.token("demo", timeout=10).generation == 1 else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        answer.set()
        caller.join(patience)

    def test_a_broker_is_not_kept_alive_by_what_it_registered(self):
        before = len(token_broker._brokers)
        TokenBroker(url)
        gc.collect()
        self.assertLessEqual(len(token_broker._brokers), before)


class Straight(World):
    """Real threads, and no time."""

    def __init__(self, world):
        super().__init__()
        self.send = world.send


def vars_of(token):
    return {name: getattr(token, name) for name in ("headers", "connection", "generation")}


def scaled(value):
    return [each / 1_000 for each in value] if isinstance(value, tuple) else value / 1_000


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
