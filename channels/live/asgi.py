"""The ASGI application of the live process, which serves only streams.

It does not use Django's request cycle, which needs a thread for each request and more memory than
an idle stream should cost (docs/adr/0003).
"""

import asyncio
import logging
import os
import resource
import signal
from typing import Any

import msgspec
from django.conf import settings
from django.utils import timezone

from channels.live import metrics, notifications
from channels.live.access import Viewer
from channels.live.access_log import StreamAccessLog
from channels.live.authentication import authenticate
from channels.live.event_reader import EventReader
from channels.live.limits import StreamLimits
from channels.live.open_streams import OpenStreams
from channels.live.postgres import ConnectionPool, DatabaseUnavailable
from channels.live.problems import (
    ALLOW_ORIGIN,
    DATABASE_UNAVAILABLE,
    NOT_FOUND,
    SHUTTING_DOWN,
    TOO_MANY_OF_CUSTOMER,
    TOO_MANY_STREAMS,
    StreamProblem,
)
from channels.live.stream_requests import (
    CUSTOMER_PATH,
    OWN_PATH,
    StreamRequest,
    parse_stream_request,
    stream_right,
)
from channels.live.stream_updates import StreamUpdates
from channels.live.streams import Message, Receive, Send, Stream, wait_for_disconnect
from customers.access.identity_tokens import LEEWAY_SECONDS

log = logging.getLogger(__name__)

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    ALLOW_ORIGIN,
]
_TEXT_HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]
_PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET"),
    (
        b"access-control-allow-headers",
        b"authorization, butler-for, last-event-id, x-identity-token, x-session-token",
    ),
    (b"access-control-max-age", b"86400"),
    ALLOW_ORIGIN,
]


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
        # Each stream is an open file, and the usual limit is 1,024 files.
        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
        self._connections = ConnectionPool(
            settings.DATABASES["default"], max_size=4, timeout=self.limits.database_timeout
        )
        self._event_reader = EventReader(self._connections, self.limits)
        self._access_log = StreamAccessLog(self._connections.fetch)
        self._open_streams = OpenStreams(self.limits)
        self._updates = StreamUpdates(self._open_streams, self._event_reader, self.limits)
        metrics.open_streams.set_function(self._open_streams.__len__)
        self._start_jobs()
        # The server waits for open streams before it stops, and streams wait for events. So this
        # process must end its streams when it gets a signal.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def _start_jobs(self) -> None:
        subscriber = notifications.subscribe(
            settings.REDIS_URL,
            on_changes=self._open_streams.on_changes,
            on_connection=self._on_connection,
        )
        jobs = (
            self._updates.read(),
            self._updates.check_periodically(),
            self._open_streams.run_timers(),
            subscriber,
        )
        self._job_tasks = [asyncio.create_task(self._run_or_exit(job)) for job in jobs]

    async def _run_or_exit(self, job: Any) -> None:
        try:
            await job
        except Exception:
            # Without one of its jobs, the process would serve streams without events.
            log.critical("live job failed", exc_info=True)
            os._exit(70)

    def _on_connection(self, is_connected: bool) -> None:
        metrics.is_subscribed.set(is_connected)
        if is_connected:
            self._updates.on_subscribed()
        else:
            self._updates.is_subscribed = False

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._is_shutting_down:
            self._is_shutting_down = True
            self._job_tasks.append(asyncio.create_task(self._shut_down(number)))

    async def _shut_down(self, number: signal.Signals) -> None:
        loop = asyncio.get_running_loop()
        self._open_streams.end_all(reason="restart")
        if self._stream_tasks:
            await asyncio.wait(self._stream_tasks, timeout=self.limits.shutdown_grace)
            # The server has the last frames now, and needs a moment to send them.
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
        customer_path = CUSTOMER_PATH.fullmatch(path)
        if customer_path or OWN_PATH.fullmatch(path):
            if method == "OPTIONS":
                return await _send(send, 204, _PREFLIGHT_HEADERS, b"")
            if method == "GET":
                stream_request = parse_stream_request(
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
        # Without Redis the streams get their events up to a second later.
        redis_status = "redis ok" if self._updates.is_subscribed else "redis away"
        await _send(send, 200, _TEXT_HEADERS, f"postgres ok\n{redis_status}\n".encode())

    async def _stream(self, stream_request: StreamRequest, receive: Receive, send: Send) -> None:
        if self._is_shutting_down:
            raise StreamProblem(*SHUTTING_DOWN, retry_after=1)
        if len(self._open_streams) >= self.limits.max_streams:
            raise StreamProblem(*TOO_MANY_STREAMS, retry_after=5)
        stream = await self._open_stream(stream_request)
        disconnect = asyncio.create_task(wait_for_disconnect(receive))
        disconnect.add_done_callback(lambda _: self._open_streams.close(stream))
        # A separate task, so that it can be cancelled if the reader takes no data.
        stream_task = asyncio.create_task(self._send_stream(stream, send))
        stream.on_abort = stream_task.cancel
        self._stream_tasks.add(stream_task)
        try:
            await asyncio.wait([stream_task])
        finally:
            self._stream_tasks.discard(stream_task)
            disconnect.cancel()
            self._open_streams.close(stream)

    async def _open_stream(self, stream_request: StreamRequest) -> Stream:
        try:
            viewer = await authenticate(self._event_reader, stream_request.credential)
            right, requested_id = stream_right(viewer, stream_request.customer_id)
            customer = await self._event_reader.find_canonical_customer(requested_id)
        except DatabaseUnavailable:
            raise StreamProblem(*DATABASE_UNAVAILABLE, retry_after=2) from None
        if customer is None:
            raise StreamProblem(*NOT_FOUND)
        if not self._open_streams.has_room(viewer, right, customer.customer_id):
            raise StreamProblem(*TOO_MANY_OF_CUSTOMER, retry_after=10)
        if viewer.reader:
            await self._log_access(viewer.reader, customer.customer_id)
        return self._open_streams.open(
            viewer=viewer,
            right=right,
            requested_id=requested_id,
            customer=customer,
            after=stream_request.after,
            ends_at=_end_of_token(viewer),
        )

    async def _log_access(self, reader: str, customer_id: str) -> None:
        try:
            await self._access_log.add(reader, customer_id, now=timezone.now())
        except DatabaseUnavailable:
            raise StreamProblem(*DATABASE_UNAVAILABLE, retry_after=2) from None

    async def _send_stream(self, stream: Stream, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await stream.run(send, on_sent=self._open_streams.request_read)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _end_of_token(viewer: Viewer) -> float | None:
    """Return when the stream of an identity token ends, on the clock of the event loop.

    A token is valid for some seconds after its end, because clocks differ.
    """
    if viewer.account is None or not viewer.account.ends_at:
        return None
    remaining = viewer.account.ends_at - timezone.now().timestamp()
    if remaining <= 0:
        remaining += LEEWAY_SECONDS
    return asyncio.get_running_loop().time() + remaining


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    message: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(message)
    await send({"type": "http.response.body", "body": body, "more_body": False})


application = LiveApplication()
