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

from channels.live import credentials, metrics, notifications
from channels.live.access import StreamRight, Viewer
from channels.live.credentials import Credential, CredentialKind
from channels.live.event_reader import EventReader
from channels.live.limits import StreamLimits
from channels.live.open_streams import OpenStreams
from channels.live.postgres import ConnectionPool, DatabaseUnavailable
from channels.live.streams import Message, Receive, Send, Stream, wait_for_disconnect

log = logging.getLogger(__name__)

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CUSTOMER_PATH = re.compile(f"/live/customers/({_UUID})/?")
_OWN_PATH = re.compile("/live/me/?")

# Any page may open a stream: a stream needs a ticket, a token or a key of its own, and
# without Access-Control-Allow-Credentials no browser hands it one that came by cookie.
_ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    _ALLOW_ORIGIN,
]
_PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET"),
    (b"access-control-allow-headers", b"authorization, last-event-id, x-session-token"),
    (b"access-control-max-age", b"86400"),
    _ALLOW_ORIGIN,
]


class StreamProblem(Exception):
    """A problem response instead of a stream (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after: int = 0) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        self.headers = [(b"content-type", b"application/problem+json"), _ALLOW_ORIGIN]
        if retry_after:
            self.headers.append((b"retry-after", str(retry_after).encode()))
        if status == 401:
            self.headers.append((b"www-authenticate", b'Bearer realm="butler"'))


UNAUTHENTICATED = (401, "Who are you?", "Show a session token, a secret key or a fresh ticket.")
NOT_FOUND = (404, "Not found", "There is no such record, or it is not yours to see.")
DATABASE_UNAVAILABLE = (
    503,
    "The record cannot be reached",
    "The database does not answer; try again.",
)
TOO_MANY_STREAMS = (503, "Too many streams", "This process serves no more streams; try again.")
SHUTTING_DOWN = (503, "Closing", "This process is about to stop; try again.")
TOO_MANY_OF_CUSTOMER = (429, "Too many streams", "Close another stream of this record first.")


class StreamRequest(NamedTuple):
    """The credential, customer and position of a request for a stream."""

    credential: Credential | None
    # The record in the path; None is one's own.
    customer_id: str | None
    after: int | None


class LiveApplication:
    """The ASGI application; one instance for each process, from lifespan start to end."""

    def __init__(self, limits: StreamLimits | None = None) -> None:
        self.limits = limits or StreamLimits(
            heartbeat_interval=getattr(settings, "LIVE_HEARTBEAT", 15.0)
        )
        self._is_shutting_down = False
        self._job_tasks: list[asyncio.Task[None]] = []
        self._stream_tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)

    # A process's life ------------------------------------------------------------------

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        # Every stream is an open file, and the usual limit is 1,024.
        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
        self._connections = ConnectionPool(
            settings.DATABASES["default"], max_size=4, timeout=self.limits.database_timeout
        )
        self._event_reader = EventReader(self._connections, self.limits)
        self._open_streams = OpenStreams(self._event_reader, self.limits)
        metrics.open_streams.set_function(self._open_streams.__len__)
        subscriber = notifications.subscribe(
            settings.REDIS_URL,
            on_changes=self._open_streams.on_changes,
            on_connection=self._on_connection,
        )
        jobs = (
            self._open_streams.read(),
            self._open_streams.check_periodically(),
            self._open_streams.run_timers(),
            subscriber,
        )
        self._job_tasks = [asyncio.create_task(self._run_or_exit(job)) for job in jobs]
        # The server waits for open streams before it stops, and streams wait for events: the
        # one who is told to stop has to end them.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    async def _run_or_exit(self, job: Any) -> None:
        try:
            await job
        except Exception:
            # Without one of its jobs the process would serve streams that get no events.
            log.critical("live job failed", exc_info=True)
            os._exit(70)

    def _on_connection(self, is_connected: bool) -> None:
        metrics.is_subscribed.set(is_connected)
        if is_connected:
            self._open_streams.on_subscribed()
        else:
            self._open_streams.is_subscribed = False

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._is_shutting_down:
            self._is_shutting_down = True
            self._job_tasks.append(asyncio.create_task(self._shut_down(number)))

    async def _shut_down(self, number: signal.Signals) -> None:
        loop = asyncio.get_running_loop()
        self._open_streams.end_all(reason="restart")
        if self._stream_tasks:
            await asyncio.wait(self._stream_tasks, timeout=self.limits.shutdown_grace)
            # The last frames are with the server by now, which needs a moment to send them.
            await asyncio.sleep(0.1)
        loop.remove_signal_handler(number)
        os.kill(os.getpid(), number)

    async def _stop(self) -> None:
        for task in self._job_tasks:
            task.cancel()
        await self._connections.close()

    # A request -------------------------------------------------------------------------

    async def _respond(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            await self._route(scope, receive, send)
        except StreamProblem as problem:
            metrics.refused_streams.labels(str(problem.status)).inc()
            await _send(send, problem.status, problem.headers, msgspec.json.encode(problem.body))

    async def _route(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        customer_path = _CUSTOMER_PATH.fullmatch(path)
        if customer_path or _OWN_PATH.fullmatch(path):
            if method == "OPTIONS":
                return await _send(send, 204, _PREFLIGHT_HEADERS, b"")
            if method == "GET":
                stream_request = _parse_stream_request(
                    scope, customer_path.group(1).lower() if customer_path else None
                )
                return await self._stream(stream_request, receive, send)
            raise StreamProblem(405, "Method not allowed", "Streams are read with GET.")
        if path == "/livez":
            return await _send(send, 200, _TEXT_HEADERS, b"ok\n")
        if path == "/readyz":
            return await self._ready(send)
        if path == "/metrics":
            return await _send(send, 200, _TEXT_HEADERS, metrics.exposition())
        raise StreamProblem(404, "Not found", "Streams are at /live/me and /live/customers/<id>.")

    async def _ready(self, send: Send) -> None:
        try:
            await self._event_reader.ping()
        except DatabaseUnavailable:
            raise StreamProblem(*DATABASE_UNAVAILABLE, retry_after=2) from None
        # Without Redis events come a second later, but they come.
        redis_status = "redis ok" if self._open_streams.is_subscribed else "redis away"
        await _send(send, 200, _TEXT_HEADERS, f"postgres ok\n{redis_status}\n".encode())

    async def _stream(self, stream_request: StreamRequest, receive: Receive, send: Send) -> None:
        if self._is_shutting_down:
            raise StreamProblem(*SHUTTING_DOWN, retry_after=1)
        if len(self._open_streams) >= self.limits.max_streams:
            raise StreamProblem(*TOO_MANY_STREAMS, retry_after=5)
        try:
            viewer = await self._authenticate(stream_request.credential)
            right, requested_id = _stream_right(viewer, stream_request.customer_id)
            customer = await self._event_reader.find_canonical_customer(requested_id)
        except DatabaseUnavailable:
            raise StreamProblem(*DATABASE_UNAVAILABLE, retry_after=2) from None
        if customer is None:
            raise StreamProblem(*NOT_FOUND)
        if not self._open_streams.has_room(viewer, right, customer.customer_id):
            raise StreamProblem(*TOO_MANY_OF_CUSTOMER, retry_after=10)
        stream = self._open_streams.open(
            viewer=viewer,
            right=right,
            requested_id=requested_id,
            customer_id=customer.customer_id,
            customer_version=customer.customer_version,
            after=stream_request.after,
        )
        disconnect = asyncio.create_task(wait_for_disconnect(receive))
        disconnect.add_done_callback(lambda _: self._open_streams.close(stream))
        # A task of its own, so that a reader who takes nothing can be given up on.
        stream_task = asyncio.create_task(self._send_stream(stream, send))
        stream.on_abort = stream_task.cancel
        self._stream_tasks.add(stream_task)
        try:
            await asyncio.wait([stream_task])
        finally:
            self._stream_tasks.discard(stream_task)
            disconnect.cancel()
            self._open_streams.close(stream)

    async def _send_stream(self, stream: Stream, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await stream.run(send, on_sent=self._open_streams.request_read)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _authenticate(self, credential: Credential | None) -> Viewer:
        if credential is None:
            raise StreamProblem(*UNAUTHENTICATED)
        kind, secret = credential
        if kind is CredentialKind.KEY:
            key_viewer = await self._event_reader.viewer_by_key(secret)
            if key_viewer is None:
                raise StreamProblem(*UNAUTHENTICATED)
            viewer, may_read = key_viewer
            if not may_read:
                raise StreamProblem(403, "Not allowed", "This key has no right to read.")
            return viewer
        session = (
            await self._event_reader.redeem_ticket(secret)
            if kind is CredentialKind.TICKET
            else secret
        )
        session_viewer = await self._event_reader.viewer_by_session(session) if session else None
        if session_viewer is None:
            raise StreamProblem(*UNAUTHENTICATED)
        return session_viewer


_TEXT_HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]


def _parse_stream_request(scope: dict[str, Any], customer_id: str | None) -> StreamRequest:
    headers = {name.lower(): value for name, value in scope["headers"]}
    query = credentials.query_parameters(scope["query_string"])
    after = credentials.parse_version(query.get("after"))
    if after is None and "after" in query:
        raise StreamProblem(400, "Odd position", "`after` is the version of an event.")
    # A browser that comes back shows the last id it saw, in front of the address it was given.
    last_seen = credentials.parse_version(headers.get(b"last-event-id", b"").decode("latin-1"))
    cookie = settings.SESSION_COOKIE_NAME
    return StreamRequest(
        credential=credentials.find_credential(headers, query, cookie=cookie),
        customer_id=customer_id,
        after=after if last_seen is None else last_seen,
    )


def _stream_right(viewer: Viewer, customer_id: str | None) -> tuple[StreamRight, str]:
    """Return the right by which the viewer reads the stream, and the customer's id."""
    if customer_id is not None and (viewer.key_id or viewer.reads_every):
        return StreamRight.EVERY, customer_id
    # Somebody else's record and no record at all look the same.
    if customer_id is not None or viewer.customer_id is None:
        raise StreamProblem(*NOT_FOUND)
    return StreamRight.OWN, viewer.customer_id


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    message: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(message)
    await send({"type": "http.response.body", "body": body, "more_body": False})


application = LiveApplication()
