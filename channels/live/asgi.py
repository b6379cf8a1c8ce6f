"""The process that serves nothing but streams: a plain ASGI application.

Django's own request cycle costs a thread for every request and keeps far more in memory than
a stream that mostly waits should cost (docs/adr/0003).
"""

import asyncio
import logging
import os
import re
import resource
import signal
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from channels.live import credentials, metrics, rings
from channels.live.access import Right, Viewer
from channels.live.credentials import Credential, Kind
from channels.live.event_reader import Logs
from channels.live.hub import Hub
from channels.live.limits import Limits
from channels.live.postgres import Away, Connections
from channels.live.streams import Message, Receive, Send, Stream, until_gone

log = logging.getLogger(__name__)

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CUSTOMER = re.compile(f"/live/customers/({_UUID})/?")
_OWN = re.compile("/live/me/?")

# Any page may open a stream: a stream needs a ticket, a token or a key of its own, and
# without Access-Control-Allow-Credentials no browser hands it one that came by cookie.
_OPEN_TO_PAGES = (b"access-control-allow-origin", b"*")
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    _OPEN_TO_PAGES,
]
_PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET"),
    (b"access-control-allow-headers", b"authorization, last-event-id, x-session-token"),
    (b"access-control-max-age", b"86400"),
    _OPEN_TO_PAGES,
]


class Problem(Exception):
    """An answer that is not a stream (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after: int = 0) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        self.headers = [(b"content-type", b"application/problem+json"), _OPEN_TO_PAGES]
        if retry_after:
            self.headers.append((b"retry-after", str(retry_after).encode()))
        if status == 401:
            self.headers.append((b"www-authenticate", b'Bearer realm="butler"'))


UNKNOWN = (401, "Who are you?", "Show a session token, a secret key or a fresh ticket.")
NO_RECORD = (404, "Not found", "There is no such record, or it is not yours to see.")
AWAY = (503, "The record cannot be reached", "The database does not answer; try again.")
FULL = (503, "Too many streams", "This process serves no more streams; try again.")
LEAVING = (503, "Closing", "This process is about to stop; try again.")
TOO_MANY = (429, "Too many streams", "Close another stream of this record first.")


class Wanted(NamedTuple):
    """A stream as it was asked for."""

    credential: Credential | None
    # The record in the path; None is one's own.
    customer_id: str | None
    after: int | None


class Live:
    """The application. One of it lives in each process, from lifespan start to end."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(heartbeat=getattr(settings, "LIVE_HEARTBEAT", 15.0))
        self._is_leaving = False
        self._tasks: list[asyncio.Task[None]] = []
        self._open: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    # A process's life ------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        # Every stream is an open file, and the usual limit is 1,024.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._connections = Connections(
            settings.DATABASES["default"], most=4, patience=self.limits.patience
        )
        self._logs = Logs(self._connections, self.limits)
        self._hub = Hub(self._logs, self.limits)
        metrics.streams.set_function(self._hub.__len__)
        ear = rings.listen(settings.REDIS_URL, on_ring=self._hub.hear, on_line=self._on_line)
        chores = (self._hub.read(), self._hub.look_after(), self._hub.pulse(), ear)
        self._tasks = [asyncio.create_task(self._keep(chore)) for chore in chores]
        # The server waits for open streams before it stops, and streams wait for events: the
        # one who is told to stop has to end them.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    async def _keep(self, chore: Any) -> None:
        try:
            await chore
        except Exception:
            # Without one of its chores the process would serve streams that are silent.
            log.critical("a chore of the streams failed", exc_info=True)
            os._exit(70)

    def _on_line(self, is_up: bool) -> None:
        metrics.hears_rings.set(is_up)
        if is_up:
            self._hub.hear_again()
        else:
            self._hub.hears_rings = False

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._is_leaving:
            self._is_leaving = True
            self._tasks.append(asyncio.create_task(self._leave(number)))

    async def _leave(self, number: signal.Signals) -> None:
        loop = asyncio.get_running_loop()
        self._hub.end_all(reason="restart")
        if self._open:
            await asyncio.wait(self._open, timeout=self.limits.farewell)
            # The farewells are with the server by now, which needs a moment to send them.
            await asyncio.sleep(0.1)
        loop.remove_signal_handler(number)
        os.kill(os.getpid(), number)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._connections.close()

    # A request -------------------------------------------------------------------------

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            await self._route(scope, receive, send)
        except Problem as problem:
            metrics.refused.labels(str(problem.status)).inc()
            await _send(send, problem.status, problem.headers, msgspec.json.encode(problem.body))

    async def _route(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        one = _CUSTOMER.fullmatch(path)
        if one or _OWN.fullmatch(path):
            if method == "OPTIONS":
                return await _send(send, 204, _PREFLIGHT_HEADERS, b"")
            if method == "GET":
                wanted = _wanted(scope, one.group(1).lower() if one else None)
                return await self._stream(wanted, receive, send)
            raise Problem(405, "Method not allowed", "Streams are read with GET.")
        if path == "/livez":
            return await _send(send, 200, _TEXT, b"ok\n")
        if path == "/readyz":
            return await self._ready(send)
        if path == "/metrics":
            return await _send(send, 200, _TEXT, metrics.text())
        raise Problem(404, "Not found", "Streams are at /live/me and /live/customers/<id>.")

    async def _ready(self, send: Send) -> None:
        try:
            await self._logs.answer()
        except Away:
            raise Problem(*AWAY, retry_after=2) from None
        # Without Redis events come a second later, but they come.
        rings_heard = "redis ok" if self._hub.hears_rings else "redis away"
        await _send(send, 200, _TEXT, f"postgres ok\n{rings_heard}\n".encode())

    async def _stream(self, wanted: Wanted, receive: Receive, send: Send) -> None:
        if self._is_leaving:
            raise Problem(*LEAVING, retry_after=1)
        if len(self._hub) >= self.limits.streams:
            raise Problem(*FULL, retry_after=5)
        try:
            viewer = await self._admit(wanted.credential)
            right, asked = _right(viewer, wanted.customer_id)
            standing = await self._logs.stand(asked)
        except Away:
            raise Problem(*AWAY, retry_after=2) from None
        if standing is None:
            raise Problem(*NO_RECORD)
        if not self._hub.has_room(viewer, right, standing.customer_id):
            raise Problem(*TOO_MANY, retry_after=10)
        stream = self._hub.open(
            viewer=viewer,
            right=right,
            asked=asked,
            customer_id=standing.customer_id,
            head=standing.head,
            after=wanted.after,
        )
        gone = asyncio.create_task(until_gone(receive))
        gone.add_done_callback(lambda _: self._hub.close(stream))
        # A task of its own, so that a reader who takes nothing can be given up on.
        sending = asyncio.create_task(self._serve(stream, send))
        stream.on_drop = sending.cancel
        self._open.add(sending)
        try:
            await asyncio.wait([sending])
        finally:
            self._open.discard(sending)
            gone.cancel()
            self._hub.close(stream)

    async def _serve(self, stream: Stream, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await stream.run(send, on_room=self._hub.want_more)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _admit(self, credential: Credential | None) -> Viewer:
        if credential is None:
            raise Problem(*UNKNOWN)
        kind, text = credential
        if kind is Kind.KEY:
            found = await self._logs.viewer_by_key(text)
            if found is None:
                raise Problem(*UNKNOWN)
            viewer, may_read = found
            if not may_read:
                raise Problem(403, "Not allowed", "This key has no right to read.")
            return viewer
        session = await self._logs.spend_ticket(text) if kind is Kind.TICKET else text
        by_session = await self._logs.viewer_by_session(session) if session else None
        if by_session is None:
            raise Problem(*UNKNOWN)
        return by_session


_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]


def _wanted(scope: dict[str, Any], customer_id: str | None) -> Wanted:
    headers = {name.lower(): value for name, value in scope["headers"]}
    query = credentials.parameters(scope["query_string"])
    after = credentials.position(query.get("after"))
    if after is None and "after" in query:
        raise Problem(400, "Odd position", "`after` is the version of an event.")
    # A browser that comes back shows the last id it saw, in front of the address it was given.
    last_seen = credentials.position(headers.get(b"last-event-id", b"").decode("latin-1"))
    cookie = settings.SESSION_COOKIE_NAME
    return Wanted(
        credential=credentials.credential(headers, query, cookie=cookie),
        customer_id=customer_id,
        after=after if last_seen is None else last_seen,
    )


def _right(viewer: Viewer, customer_id: str | None) -> tuple[Right, str]:
    """Tell by what right somebody watches, and whose record that is."""
    if customer_id is not None and (viewer.key_id or viewer.reads_every):
        return Right.EVERY, customer_id
    # Somebody else's record and no record at all look the same.
    if customer_id is not None or viewer.customer_id is None:
        raise Problem(*NO_RECORD)
    return Right.OWN, viewer.customer_id


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    message: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(message)
    await send({"type": "http.response.body", "body": body, "more_body": False})


application = Live()
