"""Read new events for the open streams, and check that their viewers may still read them."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import batched

from channels.live import access, metrics
from channels.live.access import StreamRight
from channels.live.event_reader import AccessSnapshot, EventPage, EventReader, LogPosition
from channels.live.limits import StreamLimits
from channels.live.open_streams import OpenStreams
from channels.live.postgres import DatabaseUnavailable
from channels.live.streams import Stream

log = logging.getLogger(__name__)

# The number of streams in one check. A larger batch would block the event loop for too long.
BATCH_SIZE = 500


class StreamUpdates:
    """The two jobs that read from Postgres for all open streams of this process."""

    def __init__(
        self, open_streams: OpenStreams, event_reader: EventReader, limits: StreamLimits
    ) -> None:
        self.is_subscribed = False
        self._open_streams = open_streams
        self._followers = open_streams.followers
        self._read_queue = open_streams.read_queue
        self._event_reader = event_reader
        self._limits = limits
        self._check_requested = asyncio.Event()
        self._checked_at = float("-inf")
        self._check_lock = asyncio.Lock()

    # Reading ---------------------------------------------------------------------------

    async def read(self) -> None:
        """Read events for the streams in the queue, until cancelled."""
        while True:
            batch = await self._read_queue.next_batch(BATCH_SIZE)
            try:
                await self._read_batch(batch)
            except DatabaseUnavailable:
                self._read_queue.put_back(stream for stream in batch if not stream.has_ended)
                await asyncio.sleep(random.uniform(0.2, 0.6))

    async def _read_batch(self, batch: Sequence[Stream]) -> None:
        notified_versions = {
            stream.customer_id: self._followers.known_version(stream.customer_id)
            for stream in batch
        }
        positions = {_position(stream) for stream in batch if not stream.has_ended}
        pages = await self._event_reader.read(positions) if positions else {}
        metrics.event_reads.inc()
        if await self._check_before_delivery(batch, pages):
            # The parts of some readers changed, so their pages may contain too much.
            pages = await self._event_reader.read(
                {_position(stream) for stream in batch if not stream.has_ended}
            )
        for stream in batch:
            stream.is_read_pending = False
            if stream.has_ended:
                continue
            position = _position(stream)
            if page := pages.get(position):
                self._deliver(stream, page)
            elif position in positions:
                self._forget_missing_version(stream, notified_versions)
            self._open_streams.request_read(stream)

    def _forget_missing_version(self, stream: Stream, notified_versions: Mapping[str, int]) -> None:
        """Correct a known version that does not exist, because it would be read without end.

        A notification can name such a version. If another notification came during the read, the
        next read looks for its version.
        """
        known_version = self._followers.known_version(stream.customer_id)
        if known_version == notified_versions.get(stream.customer_id):
            self._followers.correct_known_version(stream)

    async def _check_before_delivery(
        self, batch: Sequence[Stream], pages: Mapping[LogPosition, EventPage]
    ) -> bool:
        """Check the streams that will get events, if their rights may be outdated.

        This is so if the identity of a record has changed, if a stream shows another record than
        that of its login, or if the last check is too old. Returns whether the part that a stream
        shows has changed.
        """
        has_identity_change = any(page.has_identity_change for page in pages.values()) or any(
            stream.viewer.is_beside for stream in batch if _position(stream) in pages
        )
        age = asyncio.get_running_loop().time() - self._checked_at
        if pages and (has_identity_change or age > self._limits.max_access_age):
            checked = [stream for stream in batch if _position(stream) in pages]
            parts = [stream.viewer.part for stream in checked]
            async with self._check_lock:
                await self._check_streams(checked, is_changed=has_identity_change)
            return parts != [stream.viewer.part for stream in checked]
        return False

    def _deliver(self, stream: Stream, page: EventPage) -> None:
        stream.enqueue(page.frames)
        stream.version = page.last_version
        metrics.sent_events.inc(page.event_count)
        self._followers.raise_known_version(stream.customer_id, page.last_version)

    # Checks ----------------------------------------------------------------------------

    def on_subscribed(self) -> None:
        """Check all streams for notifications that were missed before the subscription."""
        self.is_subscribed = True
        self._check_requested.set()

    async def check_periodically(self) -> None:
        """Check rights and versions every few seconds and after each subscription, until cancelled."""
        while True:
            pause = (
                self._limits.check_interval
                if self.is_subscribed
                else self._limits.check_interval_without_redis
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._check_requested.wait(), pause)
            self._check_requested.clear()
            try:
                await self.check_all()
            except DatabaseUnavailable:
                log.warning("database unavailable; open streams wait")

    async def check_all(self) -> None:
        """End streams without a right, follow merged records, and find missed events."""
        async with self._check_lock:
            started = asyncio.get_running_loop().time()
            for batch in batched(self._followers, BATCH_SIZE):
                await self._check_streams(batch)
                await asyncio.sleep(0)
            self._checked_at = started

    async def _check_streams(self, streams: Sequence[Stream], *, is_changed: bool = False) -> None:
        open_streams = [stream for stream in streams if not stream.has_ended]
        snapshot = await self._event_reader.read_access(open_streams, is_changed=is_changed)
        for stream in open_streams:
            # The reader may have disconnected meanwhile; an ended stream must not continue.
            if not stream.has_ended:
                self._apply_access(stream, snapshot)

    def _apply_access(self, stream: Stream, snapshot: AccessSnapshot) -> None:
        stream_access = access.check_access(
            stream.viewer,
            stream.right,
            stream.customer_id,
            logins=snapshot.logins,
            openings=snapshot.openings,
            keys=snapshot.keys,
            accounts=snapshot.accounts,
            canonical_ids=snapshot.canonical_ids,
        )
        canonical_id = stream_access.customer_id
        stream.viewer.opening = snapshot.openings.get(stream.viewer.proof)
        if not stream_access.is_allowed:
            self._open_streams.end_stream(stream, reason="rights")
        elif canonical_id != stream.customer_id:
            customer_version = snapshot.customer_versions.get(canonical_id)
            self._open_streams.follow_canonical(stream, canonical_id, customer_version)
        else:
            self._update_version(stream, snapshot.customer_versions[stream.customer_id])

    def _update_version(self, stream: Stream, customer_version: int) -> None:
        if self._followers.raise_known_version(stream.customer_id, customer_version):
            metrics.missed_notifications.inc()
        self._open_streams.request_read(stream)


def _position(stream: Stream) -> LogPosition:
    """Return the place at which a stream reads on, with the part that its reader opens."""
    part = stream.viewer.part if stream.right is StreamRight.OWN else None
    return LogPosition(stream.customer_id, stream.version, part)
