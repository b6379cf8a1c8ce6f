"""One open stream: what waits to be sent, and the loop that sends it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.live.access import Right, Viewer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Stream:
    """A reader of one log. The hub fills it, its own task empties it."""

    __slots__ = (
        "at",
        "busy",
        "customer_id",
        "ends_at",
        "has_ended",
        "on_drop",
        "right",
        "sent_at",
        "stuck_since",
        "viewer",
        "waiting",
        "waiting_size",
        "wake",
    )

    def __init__(
        self, *, viewer: Viewer, right: Right, customer_id: str, at: int, now: float, ends_at: float
    ) -> None:
        self.viewer = viewer
        self.right = right
        self.customer_id = customer_id
        # The last version that was handed to this reader.
        self.at = at
        # Waiting for a read of the log, or in the middle of one.
        self.busy = False
        self.waiting: list[bytes] = []
        self.waiting_size = 0
        self.wake = asyncio.Event()
        self.sent_at = now
        self.stuck_since: float | None = None
        self.ends_at = ends_at
        self.has_ended = False
        self.on_drop: Callable[[], object] | None = None

    def put(self, frame: bytes) -> None:
        if not self.has_ended:
            self.waiting.append(frame)
            self.waiting_size += len(frame)
            self.wake.set()

    def end(self, farewell: bytes = b"") -> None:
        """Send what waits, then the farewell, then nothing."""
        if not self.has_ended:
            self.put(farewell)
            self.has_ended = True
            self.wake.set()

    def drop(self) -> None:
        """Forget what waits, and the send that hangs: nobody takes it."""
        self.waiting.clear()
        self.waiting_size = 0
        self.has_ended = True
        self.wake.set()
        if self.stuck_since is not None and self.on_drop:
            self.on_drop()

    def take(self) -> bytes:
        together = b"".join(self.waiting)
        self.waiting.clear()
        return together

    async def run(self, send: Send, *, on_room: Callable[["Stream"], None]) -> None:
        """Send what the hub puts in, until it ends; tell the hub whenever there is room."""
        loop = asyncio.get_running_loop()
        while True:
            await self.wake.wait()
            self.wake.clear()
            while chunk := self.take():
                self.stuck_since = loop.time()
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                self.sent_at = loop.time()
                self.stuck_since = None
                self.waiting_size = sum(map(len, self.waiting))
                on_room(self)
            if self.has_ended:
                return


async def until_gone(receive: Receive) -> None:
    """Wait until the reader has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
