"""The queue of the streams that wait for a read of the log."""

import asyncio
from collections.abc import Iterable

from channels.live.streams import Stream


class ReadQueue:
    """A first-in, first-out queue that contains each stream at most once."""

    def __init__(self) -> None:
        self._streams: dict[Stream, None] = {}
        self._is_filled = asyncio.Event()

    def enqueue(self, stream: Stream) -> None:
        """Add a stream at the end, unless it waits or a read of it is running."""
        if not stream.is_read_pending:
            stream.is_read_pending = True
            self._streams[stream] = None
            self._is_filled.set()

    def put_back(self, streams: Iterable[Stream]) -> None:
        """Enqueue streams again whose read failed."""
        self._streams.update(dict.fromkeys(streams))

    def discard(self, stream: Stream) -> None:
        """Remove a stream if it is in the queue; its `is_read_pending` does not change."""
        self._streams.pop(stream, None)

    async def next_batch(self, size: int) -> list[Stream]:
        """Wait for a stream, then remove and return at most `size` streams."""
        while not self._streams:
            await self._is_filled.wait()
            self._is_filled.clear()
        batch = list(self._streams)[:size]
        for stream in batch:
            del self._streams[stream]
        return batch
