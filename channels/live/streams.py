"""One open stream: its pending frames, and the loop that sends them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.live.access import StreamRight, Viewer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Stream:
    """One stream. OpenStreams enqueues frames, and the task of the stream sends them."""

    __slots__ = (
        "customer_id",
        "ends_at",
        "has_ended",
        "has_pending",
        "is_read_pending",
        "last_sent_at",
        "on_abort",
        "pending_bytes",
        "pending_frames",
        "right",
        "send_started_at",
        "version",
        "viewer",
    )

    def __init__(
        self,
        *,
        viewer: Viewer,
        right: StreamRight,
        customer_id: str,
        version: int,
        now: float,
        ends_at: float,
    ) -> None:
        self.viewer = viewer
        self.right = right
        self.customer_id = customer_id
        # The last version that was enqueued for this reader.
        self.version = version
        # Whether the stream waits for a read of the log, or a read is running.
        self.is_read_pending = False
        self.pending_frames: list[bytes] = []
        self.pending_bytes = 0
        self.has_pending = asyncio.Event()
        self.last_sent_at = now
        self.send_started_at: float | None = None
        self.ends_at = ends_at
        self.has_ended = False
        self.on_abort: Callable[[], object] | None = None

    def enqueue(self, frame: bytes) -> None:
        """Append a frame to the pending ones; a stream that has ended ignores it."""
        if not self.has_ended:
            self.pending_frames.append(frame)
            self.pending_bytes += len(frame)
            self.has_pending.set()

    def end(self, last_frame: bytes = b"") -> None:
        """End the stream after the pending frames and the last frame."""
        if not self.has_ended:
            self.enqueue(last_frame)
            self.has_ended = True
            self.has_pending.set()

    def abort(self) -> None:
        """Discard the pending frames, and cancel a send that hangs."""
        self.pending_frames.clear()
        self.pending_bytes = 0
        self.has_ended = True
        self.has_pending.set()
        if self.send_started_at is not None and self.on_abort:
            self.on_abort()

    def take_pending(self) -> bytes:
        """Remove the pending frames and return them joined. `run` counts `pending_bytes` again."""
        frames = b"".join(self.pending_frames)
        self.pending_frames.clear()
        return frames

    async def run(self, send: Send, *, on_sent: Callable[["Stream"], None]) -> None:
        """Send enqueued frames until the stream ends; call `on_sent` after each send."""
        loop = asyncio.get_running_loop()
        while True:
            await self.has_pending.wait()
            self.has_pending.clear()
            while chunk := self.take_pending():
                self.send_started_at = loop.time()
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                self.last_sent_at = loop.time()
                self.send_started_at = None
                self.pending_bytes = sum(map(len, self.pending_frames))
                on_sent(self)
            if self.has_ended:
                return


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the reader has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
