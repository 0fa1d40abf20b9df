"""A client of the token broker: it keeps tokens, asks one question at a time, and outlives the broker.

    from token_broker import TokenBroker

    broker = TokenBroker("https://….execute-api.eu-west-1.amazonaws.com")
    me = broker.request("exact-nl", "GET", "https://start.exactonline.nl/api/v1/current/Me").json()

Copy this file. Requests are signed with botocore (SigV4; credentials as boto3 finds them); with `bearer`, a JWT, the
standard library is enough. Python 3.9 or newer. It knows the rules of HTTP alone: of a provider whose API refuses a
token by another reply than a 401 (docs/providers.md, Replies of the API), call `reject` yourself. Make one
`TokenBroker` and share it: threads may use it, and processes that are forked from it. It logs to the logger
`token_broker`: what fails as warnings, tokens that came at debug level. No token, key or JWT is in a log, an error or
a `repr`.
"""

from __future__ import annotations

import email.utils
import ipaddress
import json
import logging
import math
import os
import random
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import weakref
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Optional, Union

__all__ = ["Response", "Token", "TokenBroker", "TokenBrokerError"]

_log = logging.getLogger("token_broker")
# Nothing is printed unless the program sets up logging.
_log.addHandler(logging.NullHandler())

# Times are whole milliseconds inside, seconds outside.
TIMING = {
    # What a call takes at most, unless its caller says otherwise.
    "call_time_out": 30_000,
    # One request: more than the 10 s that the broker itself waits for a renewal.
    "attempt_time_out": 15_000,
    # As much life as the broker itself takes for enough where a caller asks for none in particular.
    "usual_min_ttl": 10_000,
    # A token with less left is given to no caller.
    "least_life": 1_000,
    # Of the time between refresh_after and the end: so that the renewal is done, and a fleet does not ask at once.
    "ask_after_share_of_margin": (0.1, 0.5),
    "least_pause": 1_000,
    "back_off_first": (1_000, 2_000),
    "back_off_longest": 16_000,
    "retry_after_spread": 1_000,
    # How long a refusal is repeated without asking again: a program that calls in a loop asks the broker no faster.
    "refusal_kept": 5_000,
    # A request that began so long after another one's reply has the newer answer, whatever its generation.
    "memory": 5_000,
}

# A signature is good for five minutes; a clock that is less wrong is no reason for a refusal.
_CLOCK_TOLERANCE = 120_000
# A reply of the broker is a few KB; more than this is none.
_MOST_BYTES = 1_000_000


class TokenBrokerError(Exception):
    """Why there is no token. The message names the fault and the next step.

    `code` is the broker's own (README, Use it), or one of the client's: `unauthorized` (the JWT was refused),
    `throttled`, `unreachable` (no connection, or it was lost), `timed_out`, `unexpected_reply` (not one of a token
    broker), `no_credentials`. `retryable`: the same call can succeed later without anything being changed, in
    `retry_after` seconds if that is not None. `reason` is the broker's `cause` (`invalid_grant` …).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool,
        status: Optional[int] = None,
        reason: Optional[str] = None,
        faults: Iterable[Mapping[str, Any]] = (),
        downstream_errors: Iterable[Mapping[str, Any]] = (),
        request_id: Optional[str] = None,
        connection: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.status = status
        self.reason = reason
        self.faults = list(faults)
        self.downstream_errors = list(downstream_errors)
        self.request_id = request_id
        self.connection = connection
        self.retry_after = retry_after


class _Hidden(dict):
    """A dict that does not print what is in it."""

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}: redacted>"

    __str__ = __repr__


class Token:
    """An access token, to be used until `expires_at`, a `time.time()` of this machine."""

    __slots__ = (
        "connection",
        "generation",
        "expires_at",
        "token_type",
        "scope",
        "endpoint",
        "values",
        "warning",
        "access_token",
        "headers",
    )

    def __init__(self, body: Mapping[str, Any], expires_at: float) -> None:
        self.connection: str = body["connection"]
        self.generation: int = body["generation"]
        self.expires_at = expires_at
        self.token_type: Optional[str] = body.get("token_type")
        self.scope: Optional[str] = body.get("scope")
        # Where the API is, where the provider tells that with the token.
        self.endpoint: Optional[str] = body.get("endpoint")
        # What came with the login: realmId and the like.
        self.values: Mapping[str, str] = body.get("values") or {}
        self.warning: Optional[str] = body.get("warning")
        self.access_token: str = body["access_token"]
        # What is to be sent to the API, whatever its kind: Authorization, X-ACCOUNT-KEY …
        self.headers: Mapping[str, str] = _Hidden(body["headers"])

    def __repr__(self) -> str:
        return f"<Token {self.generation} of {self.connection}, until {self.expires_at:.0f}>"


@dataclass(frozen=True)
class Response:
    """A reply of the API, whatever its status. Names of `headers` have no case: `headers["Content-Type"]`."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class Request(NamedTuple):
    """What goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Union[bytes, Iterable[bytes], None] = None


class _AsItCame(urllib.request.HTTPErrorProcessor):
    """No status is an exception, and no redirect is followed: it would take headers along to another host."""

    def http_response(self, _request: Any, response: Any) -> Any:
        return response

    https_response = http_response


class World:
    """What the client asks of the machine that it runs on. Tests bring one of their own."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()
        self._slept = 0.0
        # Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).
        self._opener = urllib.request.build_opener(_AsItCame)

    def now(self) -> int:
        """Milliseconds that only grow; they pass while the machine sleeps or a function is frozen, too."""
        monotonic = time.monotonic()
        ahead = time.time() - monotonic - self._base
        # Less is the time of day being set to rights.
        if ahead > self._slept + 1:
            self._slept = ahead
        return round((monotonic + self._slept) * 1_000)

    def time_of_day(self) -> int:
        """Milliseconds since 1970."""
        return round(time.time() * 1_000)

    def chance(self) -> float:
        return random.random()

    def start(self, work: Callable[[], None]) -> None:
        """Does it in the background. It keeps no process alive."""
        threading.Thread(target=work, name="token-broker", daemon=True).start()

    def wait(self, changed: threading.Condition, milliseconds: int) -> None:
        changed.wait(milliseconds / 1_000)

    def notify(self, changed: threading.Condition) -> None:
        changed.notify_all()

    def send(self, request: Request, time_out: float, most_bytes: Optional[int] = None) -> Response:
        """Raises OSError or http.client.HTTPException if there is no reply. `time_out`: seconds without a byte."""
        method, url, headers, body = request
        out = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
        with self._opener.open(out, timeout=time_out) as reply:
            return Response(reply.status, reply.headers, reply.read(most_bytes))


class _Problem(NamedTuple):
    """What an error is made of."""

    message: str
    told: Mapping[str, Any]
    retry_after: Optional[int] = None
    # The broker's own function wrote it, not API Gateway or a proxy.
    of_broker: bool = False
    cause: Optional[BaseException] = None

    @property
    def retryable(self) -> bool:
        return bool(self.told["retryable"])


class _Question(NamedTuple):
    connection: str
    method: str
    path: str
    body: Optional[bytes] = None


class _Kept(NamedTuple):
    token: Token
    received_at: int
    ends_at: int
    ask_at: int
    # A caller who asks for no life in particular is given it as long as it has this much.
    enough: int


class _Failure(NamedTuple):
    problem: _Problem
    # Not asked again before.
    until: int


class _Flight:
    """One request that is under way for any number of callers."""

    def __init__(self, question: _Question, started_at: int) -> None:
        self.question = question
        self.started_at = started_at
        self.landed = False
        self.token: Optional[Token] = None


class _Wish:
    """What is asked for in one way, by any number of callers: at most one request at a time."""

    def __init__(self, key: str, question: Callable[[], _Question], newer_than: Optional[int] = None) -> None:
        self.key = key
        self.question = question
        # A token of this generation or an older one does not do.
        self.newer_than = newer_than
        self.flight: Optional[_Flight] = None
        # In a row.
        self.failures = 0
        self.failure: Optional[_Failure] = None


class _Connection:
    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: Optional[_Kept] = None
        # The newest generation whose report the broker has taken.
        self.reported = 0
        # By what distinguishes them: the life that is asked for, or the generation that was refused.
        self.wishes: dict[str, _Wish] = {}
        self.changed = threading.Condition()

    def after_fork(self) -> None:
        """The threads of the requests that are under way, and of the lock's holder, stayed with the parent."""
        self.changed = threading.Condition()
        for wish in list(self.wishes.values()):
            wish.flight = None


_brokers: "weakref.WeakSet[TokenBroker]" = weakref.WeakSet()


def _after_fork() -> None:
    for broker in list(_brokers):
        broker._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class TokenBroker:
    """What a program holds of its broker: make one and share it.

    url: the output `ApiUrl` of the deployment, or what `npm start` prints. credentials: botocore's (boto3.Session()
    .get_credentials()); by default as boto3 finds them. bearer: a JWT instead, as text or a function that is asked for it
    at each use. region: of the deployment; by default what the host name tells, else what boto3 is set to. timeout:
    seconds that a call may take, all of its repetitions included.

    Raises TokenBrokerError for an unusable URL.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Any = None,
        bearer: Union[str, Callable[[], str], None] = None,
        region: Optional[str] = None,
        timeout: float = TIMING["call_time_out"] / 1_000,
        world: Optional[World] = None,
    ) -> None:
        self._url = _base_of(url)
        self._credentials = credentials
        self._bearer = bearer
        self._region = region
        self._timeout = timeout
        self._world = world or World()
        self._session: Any = None
        # How far this machine's time of day is ahead of the broker's; found out when it matters.
        self._ahead = 0
        self._connections: dict[str, _Connection] = {}
        _brokers.add(self)

    def __repr__(self) -> str:
        return f"<TokenBroker at {self._url}>"

    def token(
        self, connection: str, *, min_ttl: Optional[float] = None, timeout: Optional[float] = None
    ) -> Token:
        """Returns an access token: the one that is kept, which takes no request, or one that the broker gives.

        min_ttl: seconds that it must live, 5 to 3,600; by default 10, or half of the life of a token that is shorter.
        Raises TokenBrokerError.
        """
        known = self._connections.get(connection)
        kept = known and known.kept
        least = None if min_ttl is None else math.ceil(min_ttl * 1_000)
        if kept:
            now = self._world.now()
            if now < kept.ask_at and kept.ends_at - now >= (kept.enough if least is None else least):
                return kept.token
        found = self._connection(connection)
        with found.changed:
            return self._fulfil(
                found,
                lambda: self._wish_for_life(found, least),
                lambda: self._at_hand(found, least),
                lambda: self._alive(found) if least is None else None,
                timeout,
            )

    def reject(
        self,
        connection: str,
        generation: int,
        *,
        status: Optional[int] = None,
        detail: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Token:
        """Reports a token that the provider refused, once, and returns a newer one.

        status, detail: of the API's reply; the broker logs them, without what looks like a secret. Raises
        TokenBrokerError.
        """
        found = self._connection(connection)

        def newer() -> Optional[Token]:
            token = self._alive(found)
            return token if token and token.generation > generation else None

        with found.changed:
            return self._fulfil(
                found,
                lambda: self._wish_for_newer(found, generation, status, detail),
                newer,
                lambda: None,
                timeout,
            )

    def request(
        self,
        connection: str,
        method: str,
        url: str,
        *,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[str, bytes, Iterable[bytes], None] = None,
        json: Any = None,
        min_ttl: Optional[float] = None,
        timeout: Optional[float] = None,
    ) -> Response:
        """Calls the provider's API with the token's headers, and returns its reply, whatever its status.

        url: may be relative to the endpoint that came with the token, and name its values as {realmId}. A 401 is
        reported, once for each token, and the request repeated once with the newer one; a body that can be read only
        once is not sent again. json: a body to be written as JSON. Redirects are not followed. timeout: seconds for the token, and without a byte from the
        API. Raises TokenBrokerError, ValueError for what is no URL, and OSError if the API does not answer.
        """
        patience = self._timeout if timeout is None else timeout
        data, sent = _body_of(body, json, headers or {})
        token = self.token(connection, min_ttl=min_ttl, timeout=timeout)
        reply = self._call(token, method, url, sent, data, patience)
        if reply.status != 401:
            return reply
        try:
            newer = self.reject(connection, token.generation, status=401, timeout=timeout)
        except TokenBrokerError as error:
            # The API's own reply tells the caller more.
            _log.warning("%s: the API refused token %d; %s", connection, token.generation, error)
            return reply
        if not (data is None or isinstance(data, bytes)):
            return reply
        return self._call(newer, method, url, sent, data, patience)

    def _call(
        self, token: Token, method: str, url: str, headers: Mapping[str, str], body: Any, time_out: float
    ) -> Response:
        given = {name: value for name, value in headers.items() if name.lower() not in _lower(token.headers)}
        request = Request(method, _url_of(url, token), {**given, **token.headers}, body)
        return self._world.send(request, time_out)

    def _connection(self, name: str) -> _Connection:
        known = self._connections.get(name)
        if known:
            return known
        if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", name):
            raise _invalid(f'connection "{name}": a connection is named by 1 to 63 of a–z, 0–9 and inner hyphens')
        return self._connections.setdefault(name, _Connection(name))

    def _after_fork(self) -> None:
        for connection in list(self._connections.values()):
            connection.after_fork()

    # From here on, the connection's lock is held.

    def _alive(self, connection: _Connection) -> Optional[Token]:
        kept = connection.kept
        return kept.token if kept and kept.ends_at - self._world.now() > TIMING["least_life"] else None

    def _at_hand(self, connection: _Connection, least: Optional[int]) -> Optional[Token]:
        """The kept token if it will do; asks for the next one in the background when its time has come."""
        kept, now = connection.kept, self._world.now()
        if kept is None or kept.ends_at - now < (kept.enough if least is None else least):
            return None
        if now >= kept.ask_at:
            wish = self._wish_for_life(connection, None)
            self._expire(connection, wish)
            if wish.flight is None and (wish.failure is None or wish.failure.until <= now):
                self._fly(connection, wish)
        return kept.token

    def _fulfil(
        self,
        connection: _Connection,
        wish_of: Callable[[], _Wish],
        at_hand: Callable[[], Optional[Token]],
        spare: Callable[[], Optional[Token]],
        timeout: Optional[float],
    ) -> Token:
        """Waits for what is wished for: through refusals that can be repeated, in one request with all other callers.

        A spare token is given at once where the broker fails, and after half of what is left of it where it is slow.
        """
        patience = round((self._timeout if timeout is None else timeout) * 1_000)
        deadline = self._world.now() + patience
        while True:
            now = self._world.now()
            # Another caller may have got it while this one slept.
            token = at_hand()
            if token:
                return token
            wish = wish_of()
            self._expire(connection, wish)
            failure = wish.failure
            if failure is None or failure.until <= now:
                enough = patience
                if spare() and connection.kept:
                    enough = (connection.kept.ends_at - now) // 2
                flight = wish.flight or self._fly(connection, wish)
                landed = self._landed(connection, wish, flight, min(now + enough, deadline))
                token = flight.token if landed else spare()
                if token:
                    return token
                if not landed and self._world.now() >= deadline:
                    raise _timed_out(connection.name, patience, wish.failure)
                continue
            token = spare()
            if token:
                return token
            if not failure.problem.retryable or failure.until > deadline:
                raise self._error(connection, failure)
            self._world.wait(connection.changed, failure.until - now)

    def _landed(self, connection: _Connection, wish: _Wish, flight: _Flight, until: int) -> bool:
        end = flight.started_at + TIMING["attempt_time_out"]
        while not flight.landed:
            now = self._world.now()
            if now >= end:
                self._expire(connection, wish)
            elif now >= until:
                return False
            else:
                self._world.wait(connection.changed, min(until, end) - now)
        return True

    def _expire(self, connection: _Connection, wish: _Wish) -> None:
        """A request that takes too long counts as one without an answer, whatever its thread still waits for."""
        flight = wish.flight
        end = flight.started_at + TIMING["attempt_time_out"] if flight else 0
        if flight and self._world.now() >= end:
            seconds = TIMING["attempt_time_out"] // 1_000
            message = f"The broker at {self._url} did not answer within {seconds} s."
            self._land(connection, wish, flight, _problem(message, "timed_out", True), end)

    def _fly(self, connection: _Connection, wish: _Wish) -> _Flight:
        flight = _Flight(wish.question(), self._world.now())
        wish.flight = flight

        def work() -> None:
            meaning = self._ask(flight.question)
            with connection.changed:
                if not flight.landed:
                    self._land(connection, wish, flight, meaning, self._world.now())

        self._world.start(work)
        return flight

    def _land(
        self,
        connection: _Connection,
        wish: _Wish,
        flight: _Flight,
        meaning: Union[_Problem, Mapping[str, Any]],
        now: int,
    ) -> None:
        flight.landed = True
        if wish.flight is flight:
            wish.flight = None
        problem = meaning if isinstance(meaning, _Problem) else None
        if flight.question.method == "POST" and (problem is None or problem.of_broker):
            connection.reported = max(connection.reported, wish.newer_than or 0)
        if isinstance(meaning, _Problem):
            if meaning.told["code"] == "connection_not_found":
                # Deleted: what is kept of it may be used by no client any more.
                connection.kept = None
            self._fail(connection, wish, meaning, now)
        else:
            token = self._keep(connection, meaning, flight.started_at, now)
            if wish.newer_than is not None and token.generation <= wish.newer_than:
                message = f'Connection "{connection.name}" has no newer token yet than the one that was refused.'
                self._fail(connection, wish, _problem(message, "temporarily_unavailable", True), now)
            else:
                flight.token = token
                if connection.wishes.get(wish.key) is wish:
                    del connection.wishes[wish.key]
                _log.debug("%s: token %d in %d ms", connection.name, token.generation, now - flight.started_at)
        self._world.notify(connection.changed)

    def _fail(self, connection: _Connection, wish: _Wish, problem: _Problem, now: int) -> None:
        wish.failures += 1
        wish.failure = _Failure(problem, now + _pause(wish.failures, problem, self._world.chance()))
        pause = (wish.failure.until - now) / 1_000
        _log.warning("%s: %s Not asked again for %.1f s.", connection.name, problem.message, pause)

    def _keep(self, connection: _Connection, body: Mapping[str, Any], started_at: int, now: int) -> Token:
        """Keeps the token, unless a newer one came meanwhile, and returns the one that is kept."""
        kept = connection.kept
        if kept and self._alive(connection) and body["generation"] < kept.token.generation:
            if started_at < kept.received_at + TIMING["memory"]:
                return kept.token
        # Counted from the start of the request, so that a slow reply does not lengthen a life.
        ends_at = started_at + round(body["expires_in"] * 1_000)
        begin = max(ends_at - max(_margin_of(body), 0), now)
        share = _between(TIMING["ask_after_share_of_margin"], self._world.chance())
        ask_at = max(begin + round((ends_at - begin) * share), now + TIMING["least_pause"])
        token = Token(body, (self._world.time_of_day() + ends_at - now) / 1_000)
        enough = min(TIMING["usual_min_ttl"], round(body["expires_in"] * 500))
        connection.kept = _Kept(token, now, ends_at, ask_at, enough)
        return token

    def _wish(self, connection: _Connection, wish: _Wish) -> _Wish:
        return connection.wishes.setdefault(wish.key, wish)

    def _wish_for_life(self, connection: _Connection, least: Optional[int]) -> _Wish:
        query = "" if least is None else f"?min_ttl={math.ceil(least / 1_000)}"
        path = f"/token/{connection.name}{query}"
        return self._wish(connection, _Wish(path, lambda: _Question(connection.name, "GET", path)))

    def _wish_for_newer(
        self, connection: _Connection, generation: int, status: Optional[int], detail: Optional[str]
    ) -> _Wish:
        name = connection.name
        path = f"/token/{name}/rejections"
        members = {"generation": generation, "status": status, "detail": detail and detail[:300]}
        body = json.dumps({key: value for key, value in members.items() if value is not None}).encode()

        def question() -> _Question:
            # A report that was taken is not repeated: the broker renews, and the newer token can be asked for.
            if connection.reported < generation:
                return _Question(name, "POST", path, body)
            return _Question(name, "GET", f"/token/{name}")

        return self._wish(connection, _Wish(f"{path}/{generation}", question, generation))

    def _error(self, connection: _Connection, failure: _Failure) -> TokenBrokerError:
        problem = failure.problem
        retry_after = (failure.until - self._world.now()) / 1_000 if problem.retryable else None
        error = TokenBrokerError(
            problem.message, connection=connection.name, retry_after=retry_after, **problem.told
        )
        error.__cause__ = problem.cause
        return error

    # From here on, no lock is held: requests.

    def _ask(self, question: _Question) -> Union[_Problem, Mapping[str, Any]]:
        """What the broker answers: a token's members or a problem. Raises nothing."""
        try:
            meaning, ahead = self._exchange(question)
            refused = isinstance(meaning, _Problem) and meaning.told.get("status") == 403 and not meaning.of_broker
            # Once more where the clock of this machine was the reason for a refusal.
            if refused and abs(ahead - self._ahead) >= _CLOCK_TOLERANCE:
                self._ahead = ahead
                meaning, _ = self._exchange(question)
            return meaning
        except TokenBrokerError as error:
            told = {"code": error.code, "retryable": error.retryable}
            return _Problem(str(error), told, cause=error.__cause__)
        except Exception as error:  # noqa: BLE001: http.client raises ValueError, too; a caller waits for an answer
            why = f" ({_reason_of(error)})"
            message = (
                f"{self._url} cannot be reached, or the connection was lost{why}: check the URL and the network."
            )
            return _problem(message, "unreachable", True, cause=error)

    def _exchange(self, question: _Question) -> tuple[Union[_Problem, Mapping[str, Any]], int]:
        request = self._authorized(question)
        reply = self._world.send(request, TIMING["attempt_time_out"] / 1_000, _MOST_BYTES)
        try:
            date = email.utils.parsedate_to_datetime(reply.headers.get("date") or "").timestamp()
            ahead = self._world.time_of_day() - round(date * 1_000)
        except (TypeError, ValueError):
            ahead = 0
        return _meaning_of(reply, question, self._url, ahead), ahead

    def _authorized(self, question: _Question) -> Request:
        headers = {} if question.body is None else {"Content-Type": "application/json"}
        url = self._url + question.path
        if self._bearer is not None:
            return Request(question.method, url, {**headers, "Authorization": f"Bearer {self._jwt()}"}, question.body)
        return Request(question.method, url, self._signed(question, url, headers), question.body)

    def _jwt(self) -> str:
        try:
            jwt = self._bearer() if callable(self._bearer) else self._bearer
        except Exception as cause:
            raise _missing("The function that gives the JWT failed: see the cause.") from cause
        if not isinstance(jwt, str) or not re.fullmatch(r"[!-~]+", jwt):
            raise _missing("There is no JWT to send: bearer gives none.")
        return jwt

    def _signed(self, question: _Question, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        try:
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
        except ImportError as cause:
            raise _missing("Signing takes botocore: install boto3, or give a JWT as bearer.") from cause
        credentials, region = self._credentials_and_region(url)
        seconds = (self._world.time_of_day() - self._ahead) / 1_000
        timestamp = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%dT%H%M%SZ")

        class Signer(SigV4Auth):
            """Signs by the broker's clock."""

            def _set_necessary_date_headers(self, request: Any) -> None:
                request.context["timestamp"] = timestamp
                super()._set_necessary_date_headers(request)

        request = AWSRequest(question.method, url, dict(headers), question.body)
        Signer(credentials, "execute-api", region).add_auth(request)
        return dict(request.headers.items())

    def _credentials_and_region(self, url: str) -> tuple[Any, str]:
        import botocore.session

        if self._session is None:
            self._session = botocore.session.get_session()
        try:
            credentials = self._credentials or self._session.get_credentials()
            frozen = credentials and credentials.get_frozen_credentials()
        except Exception as cause:
            raise _missing("The credentials cannot be had: see the cause.") from cause
        if not frozen or not frozen.access_key or not frozen.secret_key:
            raise _missing(
                "There is nothing to sign with: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or give "
                "TokenBroker credentials (bearer where the deployment takes JWTs)."
            )
        host = urllib.parse.urlsplit(url).hostname or ""
        told = re.search(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$", host)
        region = self._region or (told and told[1]) or os.environ.get("AWS_REGION")
        region = region or self._session.get_config_variable("region")
        if not region:
            raise _missing(
                f"The Region to sign for is not known, since {host} does not tell it: set AWS_REGION, or give "
                "TokenBroker the region of the deployment."
            )
        return frozen, region


def _between(bounds: tuple[float, float], chance: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * chance


def _pause(failures: int, problem: _Problem, chance: float) -> int:
    """How long to wait after so many failures in a row (1: the first)."""
    if not problem.retryable:
        return TIMING["refusal_kept"]
    if problem.retry_after is not None:
        return problem.retry_after + round(TIMING["retry_after_spread"] * chance)
    return min(round(_between(TIMING["back_off_first"], chance) * 2 ** (failures - 1)), TIMING["back_off_longest"])


def _margin_of(body: Mapping[str, Any]) -> int:
    """Between refresh_after and the end: both are the broker's times, so that this machine's clock may be wrong."""
    return round((_instant(body["expires_at"]) - _instant(body["refresh_after"])) * 1_000)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_token(members: Mapping[str, Any]) -> bool:
    try:
        _margin_of(members)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return (
        bool(members.get("access_token"))
        and isinstance(members["access_token"], str)
        and isinstance(members.get("connection"), str)
        and _is_number(members.get("expires_in"))
        and isinstance(members.get("generation"), int)
        and isinstance(members.get("headers"), dict)
    )


def _members_of(body: bytes) -> Optional[dict[str, Any]]:
    try:
        members = json.loads(body)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None


def _retry_after_of(reply: Response, told: Any) -> Optional[int]:
    """Whole seconds (RFC 9110 §10.2.3), as the broker and API Gateway write it."""
    try:
        seconds = told if _is_number(told) else float(reply.headers.get("retry-after") or "nan")
    except ValueError:
        return None
    return round(seconds * 1_000) if math.isfinite(seconds) and seconds >= 0 else None


def _meaning_of(reply: Response, question: _Question, origin: str, ahead: int) -> Union[_Problem, Mapping[str, Any]]:
    """What a reply of the broker, or of what stands before it, means."""
    members = _members_of(reply.body)
    if reply.status == 200 and members is not None and _is_token(members):
        return members
    retry_after = _retry_after_of(reply, (members or {}).get("retry_after"))
    request_id = reply.headers.get("apigw-requestid")
    if members is None or not (isinstance(members.get("code"), str) and members["code"]):
        code, message, retryable = _gateway_problem(reply, members, question, origin, ahead)
        return _problem(message, code, retryable, retry_after, status=reply.status, request_id=request_id)
    faults = [fault for fault in _list_of(members, "faults") if isinstance(fault, dict)]
    said = members.get("detail") or members.get("title") or members["code"]
    listed = "".join(f" {fault.get('path')} {fault.get('message')}." for fault in faults)
    told = {
        "code": members["code"],
        "retryable": members.get("retryable") is True,
        "status": reply.status,
        "reason": members.get("cause"),
        "faults": faults,
        "downstream_errors": _list_of(members, "downstream_errors"),
        "request_id": request_id,
    }
    return _Problem(f"{said}{listed}", told, retry_after, True)


def _list_of(members: Mapping[str, Any], name: str) -> list[Any]:
    value = members.get(name)
    return value if isinstance(value, list) else []


def _gateway_problem(
    reply: Response, members: Optional[Mapping[str, Any]], question: _Question, origin: str, ahead: int
) -> tuple[str, str, bool]:
    """The few answers that API Gateway gives by itself, and those of a stranger: code, message, retryable."""
    status, call, name = reply.status, f"{question.method} {question.path}", question.connection
    if status == 429:
        message = "The broker takes no more requests at this moment (429): ask less often, or raise its throttle."
        return "throttled", message, True
    if status == 401 and members is not None:
        said = (reply.headers.get("www-authenticate") or "")[:300]
        message = f"{call} was refused (401): send a JWT of the issuer and audience that the deployment names. {said}"
        return "unauthorized", message, False
    if status == 403 and members is not None:
        off = round(abs(ahead) / 1_000)
        clock = "" if off < 120 else f" The clocks of this machine and of the broker differ by {off} s."
        message = (
            f"{call} was refused (403): either its signature is not good (credentials, session token, Region), or the "
            f'caller may not use connection "{name}": grantGetToken(role, \'{name}\') lets a role in.{clock}'
        )
        return "forbidden", message, False
    if status >= 500:
        message = f"{origin}, or what stands before it, answered {status}: ask again in a moment."
        return "temporarily_unavailable", message, True
    kind = (reply.headers.get("content-type") or "").split(";")[0] or "no content type"
    # A JSON text that is no JSON was cut off on its way.
    cut = "json" in kind and members is None
    what = "half a JSON text" if cut else kind
    message = (
        f"{call} was answered with {status} and {what}, which is no answer of a token broker: is {origin} the ApiUrl of "
        "the deployment, and is there a proxy before it?"
    )
    return "unexpected_reply", message, cut


def _problem(
    message: str,
    code: str,
    retryable: bool,
    retry_after: Optional[int] = None,
    cause: Optional[BaseException] = None,
    **told: Any,
) -> _Problem:
    return _Problem(message, {"code": code, "retryable": retryable, **told}, retry_after, False, cause)


def _reason_of(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, (TimeoutError, socket.timeout)):
        return "no answer in time"
    return getattr(reason, "strerror", None) or type(reason).__name__


def _timed_out(name: str, patience: int, failure: Optional[_Failure]) -> TokenBrokerError:
    before = f"; before that: {failure.problem.message}" if failure else "."
    message = f'The broker gave no token of connection "{name}" within {patience / 1_000:g} s{before}'
    told = {**(failure.problem.told if failure else {}), "code": "timed_out", "retryable": True}
    return TokenBrokerError(message, connection=name, **told)


def _missing(message: str) -> TokenBrokerError:
    return TokenBrokerError(message, code="no_credentials", retryable=False)


def _invalid(message: str) -> TokenBrokerError:
    return TokenBrokerError(f"{message}.", code="invalid_request", retryable=False)


def _base_of(url: str) -> str:
    """Tokens come back in plain text, so plain http goes no further than this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        loopback = host == "localhost" or (bool(re.fullmatch(r"[0-9.]+|.*:.*", host)) and _is_loopback(host))
        fits = parts.scheme == "https" or (parts.scheme == "http" and loopback)
        usable = fits and bool(host) and parts.port != 0 and not (parts.username or parts.query or parts.fragment)
    except (ValueError, AttributeError, TypeError):
        usable = False
    if not usable:
        # What it was is not repeated: it may hold a password.
        raise _invalid("url must be the output ApiUrl of the deployment: https (http on this machine), and no query")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _body_of(body: Any, members: Any, headers: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
    """What is sent, and the headers with its type: urllib would call it a form."""
    if body is None and members is None:
        return None, headers
    kind = "application/octet-stream" if members is None else "application/json"
    typed = headers if "content-type" in _lower(headers) else {**headers, "Content-Type": kind}
    if members is not None:
        return json.dumps(members).encode(), typed
    return (body.encode() if isinstance(body, str) else body), typed


def _lower(headers: Mapping[str, str]) -> set[str]:
    return {name.lower() for name in headers}


def _url_of(url: str, token: Token) -> str:
    """The URL with places like {realmId} filled from the token's values, taken relative to its endpoint."""
    filled = re.sub(
        r"\{(\w+)\}",
        lambda place: urllib.parse.quote(str(token.values[place[1]]), safe="") if place[1] in token.values else place[0],
        url,
    )
    whole = urllib.parse.urljoin(token.endpoint or "", filled)
    if urllib.parse.urlsplit(whole).scheme not in ("https", "http") or not urllib.parse.urlsplit(whole).hostname:
        lacking = "" if token.endpoint else f', and connection "{token.connection}" has no endpoint'
        raise ValueError(f'"{url}" is no absolute URL{lacking}')
    return whole
