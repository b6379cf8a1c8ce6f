"""All open streams of a process, and the reads that they wait for.

A change notification names a customer and a version. It only starts a read: events always come
from Postgres, by version, so a lost, repeated or late notification does no harm.
"""

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import batched

from channels.live import access, frames, metrics
from channels.live.access import StreamRight, Viewer
from channels.live.event_reader import EventPage, EventReader
from channels.live.limits import StreamLimits
from channels.live.postgres import DatabaseUnavailable
from channels.live.streams import Stream

log = logging.getLogger(__name__)

# Streams checked together; a larger batch would keep the loop from sending meanwhile.
BATCH_SIZE = 500


class OpenStreams:
    """The streams of this process, by the customer that they follow."""

    def __init__(self, event_reader: EventReader, limits: StreamLimits) -> None:
        self.limits = limits
        self.is_subscribed = False
        self._event_reader = event_reader
        self._followers: dict[str, set[Stream]] = {}
        # The highest known version of each customer that is followed.
        self._known_versions: dict[str, int] = {}
        self._read_queue: dict[Stream, None] = {}
        self._read_requested = asyncio.Event()
        self._check_requested = asyncio.Event()
        self._checked_at = float("-inf")
        self._check_lock = asyncio.Lock()

    # Opening and closing ---------------------------------------------------------------

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    def has_room(self, viewer: Viewer, right: StreamRight, customer_id: str) -> bool:
        """Tell whether one more stream of this customer may be opened.

        A customer's own streams count together. Others count by viewer: a busy call desk
        must not keep a customer out, nor the other way around.
        """
        open_count = sum(
            stream.right is right
            and (right is StreamRight.OWN or stream.viewer.name == viewer.name)
            for stream in self._followers.get(customer_id, ())
        )
        return open_count < self.limits.max_streams_per_customer

    def open(
        self,
        *,
        viewer: Viewer,
        right: StreamRight,
        requested_id: str,
        customer_id: str,
        customer_version: int,
        after: int | None,
    ) -> Stream:
        """Open a stream of the canonical customer of `requested_id`, after a version or from now on."""
        now = asyncio.get_running_loop().time()
        has_position = after is not None and after <= customer_version
        stream = Stream(
            viewer=viewer,
            right=right,
            customer_id=customer_id,
            version=after if after is not None and has_position else customer_version,
            now=now,
            ends_at=now + self.limits.max_lifetime * random.uniform(0.9, 1.0),
        )
        if requested_id != customer_id:
            stream.enqueue(frames.joined_frame(customer_id=requested_id, canonical_id=customer_id))
        self._enqueue_hello(
            stream,
            customer_version=customer_version,
            position=None if has_position else customer_version,
        )
        self._follow(stream, customer_version=customer_version)
        return stream

    def close(self, stream: Stream) -> None:
        stream.abort()
        self._unfollow(stream)

    def _enqueue_hello(
        self, stream: Stream, *, customer_version: int, position: int | None
    ) -> None:
        hello = frames.hello_frame(
            customer_id=stream.customer_id,
            version=customer_version,
            position=position,
            retry=_reconnect_delay(),
        )
        stream.enqueue(hello)

    def _follow(self, stream: Stream, *, customer_version: int) -> None:
        self._followers.setdefault(stream.customer_id, set()).add(stream)
        self._known_versions[stream.customer_id] = max(
            customer_version, self._known_versions.get(stream.customer_id, 0)
        )
        # The version was read before this stream could be notified, so it reads once by itself.
        self._enqueue_read(stream)

    def _unfollow(self, stream: Stream) -> None:
        followers = self._followers.get(stream.customer_id, set())
        followers.discard(stream)
        self._read_queue.pop(stream, None)
        if not followers:
            self._followers.pop(stream.customer_id, None)
            self._known_versions.pop(stream.customer_id, None)

    # Change notifications --------------------------------------------------------------

    def on_changes(self, changes: Iterable[tuple[str, int]]) -> None:
        """Start reads for the streams of changed customers."""
        for customer_id, version in changes:
            if version > self._known_versions.get(customer_id, version):
                self._known_versions[customer_id] = version
                for stream in self._followers[customer_id]:
                    self.request_read(stream)

    def on_subscribed(self) -> None:
        """Check all streams for notifications that were missed before the subscription."""
        self.is_subscribed = True
        self._check_requested.set()

    def request_read(self, stream: Stream) -> None:
        is_behind = self._known_versions.get(stream.customer_id, 0) > stream.version
        if is_behind and not stream.has_ended and stream.pending_bytes < self.limits.max_backlog:
            self._enqueue_read(stream)

    def _enqueue_read(self, stream: Stream) -> None:
        if not stream.is_read_pending:
            stream.is_read_pending = True
            self._read_queue[stream] = None
            self._read_requested.set()

    # Reading ---------------------------------------------------------------------------

    async def read(self) -> None:
        """Read for the streams in the queue, forever. While one batch is read, the next one fills."""
        while True:
            await self._read_requested.wait()
            self._read_requested.clear()
            while batch := list(self._read_queue)[:BATCH_SIZE]:
                for stream in batch:
                    del self._read_queue[stream]
                try:
                    await self._read_batch(batch)
                except DatabaseUnavailable:
                    self._read_queue.update(
                        dict.fromkeys(stream for stream in batch if not stream.has_ended)
                    )
                    await asyncio.sleep(random.uniform(0.2, 0.6))

    async def _read_batch(self, batch: Sequence[Stream]) -> None:
        notified_versions = {
            stream.customer_id: self._known_versions.get(stream.customer_id, 0) for stream in batch
        }
        positions = {
            (stream.customer_id, stream.version) for stream in batch if not stream.has_ended
        }
        pages = await self._event_reader.read(positions) if positions else {}
        metrics.event_reads.inc()
        has_identity_change = any(page.has_identity_change for page in pages.values())
        age = asyncio.get_running_loop().time() - self._checked_at
        if pages and (has_identity_change or age > self.limits.max_access_age):
            # The identity of a record has just changed, or the last check is too old: check the
            # streams that are about to get events first.
            async with self._check_lock:
                await self._check_streams(
                    [stream for stream in batch if (stream.customer_id, stream.version) in pages]
                )
        for stream in batch:
            stream.is_read_pending = False
            if stream.has_ended:
                continue
            position = stream.customer_id, stream.version
            if page := pages.get(position):
                self._deliver(stream, page)
            elif position in positions and self._known_versions.get(
                position[0]
            ) == notified_versions.get(position[0]):
                # A notification can name a version that does not exist: it would be read forever.
                self._known_versions[stream.customer_id] = stream.version
            self.request_read(stream)

    def _deliver(self, stream: Stream, page: EventPage) -> None:
        stream.enqueue(page.frames)
        stream.version = page.last_version
        metrics.sent_events.inc(page.event_count)
        if page.last_version > self._known_versions.get(stream.customer_id, 0):
            self._known_versions[stream.customer_id] = page.last_version

    # Checks ----------------------------------------------------------------------------

    async def check_periodically(self) -> None:
        """Check rights and versions every few seconds, forever, and after each subscription."""
        while True:
            pause = (
                self.limits.check_interval
                if self.is_subscribed
                else self.limits.check_interval_without_redis
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._check_requested.wait(), pause)
            self._check_requested.clear()
            try:
                await self.check_all()
            except DatabaseUnavailable:
                log.warning("database unavailable; open streams wait")

    async def check_all(self) -> None:
        """End streams that lost their right, follow merged records, find missed events."""
        async with self._check_lock:
            started = asyncio.get_running_loop().time()
            all_streams = [stream for followers in self._followers.values() for stream in followers]
            for batch in batched(all_streams, BATCH_SIZE):
                await self._check_streams(batch)
                await asyncio.sleep(0)
            self._checked_at = started

    async def _check_streams(self, streams: Sequence[Stream]) -> None:
        open_streams = [stream for stream in streams if not stream.has_ended]
        snapshot = await self._event_reader.read_access(open_streams)
        for stream in open_streams:
            # Its reader may have disconnected meanwhile; it must not be followed again.
            if stream.has_ended:
                continue
            stream_access = access.check_access(
                stream.viewer,
                stream.right,
                stream.customer_id,
                logins=snapshot.logins,
                keys=snapshot.keys,
                canonical_ids=snapshot.canonical_ids,
            )
            if not stream_access.is_allowed:
                metrics.ended_streams.labels("rights").inc()
                stream.end(frames.ended_frame(reason="rights", retry=_reconnect_delay()))
                self._unfollow(stream)
            elif stream_access.customer_id != stream.customer_id:
                self._follow_canonical(
                    stream,
                    stream_access.customer_id,
                    snapshot.customer_versions.get(stream_access.customer_id),
                )
            else:
                self._update_version(stream, snapshot.customer_versions[stream.customer_id])

    def _update_version(self, stream: Stream, customer_version: int) -> None:
        if customer_version > self._known_versions.get(stream.customer_id, customer_version):
            metrics.missed_notifications.inc()
            self._known_versions[stream.customer_id] = customer_version
        self.request_read(stream)

    def _follow_canonical(
        self, stream: Stream, canonical_id: str, customer_version: int | None
    ) -> None:
        if customer_version is None:
            return
        self._unfollow(stream)
        stream.enqueue(
            frames.joined_frame(customer_id=stream.customer_id, canonical_id=canonical_id)
        )
        stream.customer_id = canonical_id
        stream.version = customer_version
        self._enqueue_hello(stream, customer_version=customer_version, position=customer_version)
        stream.is_read_pending = False
        self._follow(stream, customer_version=customer_version)

    # Time ------------------------------------------------------------------------------

    async def run_timers(self) -> None:
        """Send heartbeats, end streams at the end of their lifetime, abort stalled ones."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.limits.heartbeat_interval / 4))
            now = loop.time()
            for stream in [stream for group in self._followers.values() for stream in group]:
                self._check_timers(stream, now)

    def _check_timers(self, stream: Stream, now: float) -> None:
        if stream.send_started_at is not None:
            if now - stream.send_started_at > self.limits.stall_timeout:
                metrics.ended_streams.labels("slow").inc()
                self.close(stream)
        elif now >= stream.ends_at:
            self.end_stream(stream, reason="lifetime")
        elif (
            now - stream.last_sent_at >= self.limits.heartbeat_interval
            and not stream.pending_frames
        ):
            stream.enqueue(frames.HEARTBEAT_FRAME)

    def end_stream(self, stream: Stream, *, reason: str) -> None:
        metrics.ended_streams.labels(reason).inc()
        stream.end(frames.ended_frame(reason=reason, retry=_reconnect_delay()))
        self._unfollow(stream)

    def end_all(self, *, reason: str) -> None:
        for stream in [stream for group in self._followers.values() for stream in group]:
            self.end_stream(stream, reason=reason)


def _reconnect_delay() -> int:
    """Milliseconds after which a reader comes back; they should not all come at once."""
    return random.randint(500, 3000)
