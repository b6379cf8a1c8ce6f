"""All open streams of a process, with the customers that they follow and the time of their end.

A change notification names a customer and a version, and only starts a read. The events always
come from Postgres, by version, so a lost, repeated or late notification does no harm.
"""

import asyncio
import random
from collections.abc import Iterable

from channels.live import frames, metrics
from channels.live.access import StreamRight, Viewer
from channels.live.event_reader import CanonicalCustomer
from channels.live.followers import Followers
from channels.live.limits import StreamLimits
from channels.live.read_queue import ReadQueue
from channels.live.streams import Stream


class OpenStreams:
    """The streams of this process, by the customer that they follow."""

    def __init__(self, limits: StreamLimits) -> None:
        self.limits = limits
        self.followers = Followers()
        self.read_queue = ReadQueue()

    # Opening and closing ---------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.followers)

    def has_room(self, viewer: Viewer, right: StreamRight, customer_id: str) -> bool:
        """Return whether one more stream of this customer may be opened.

        The limit holds for the customer's own streams together, and for each other viewer
        separately. So a busy call desk cannot block the customer, and the customer cannot block it.
        """
        open_count = sum(
            stream.right is right
            and (right is StreamRight.OWN or stream.viewer.name == viewer.name)
            for stream in self.followers.of_customer(customer_id)
        )
        return open_count < self.limits.max_streams_per_customer

    def open(
        self,
        *,
        viewer: Viewer,
        right: StreamRight,
        requested_id: str,
        customer: CanonicalCustomer,
        after: int | None,
        ends_at: float | None = None,
    ) -> Stream:
        """Open a stream of the canonical customer of `requested_id`.

        It starts after the version `after`, or at the current version if `after` is None or higher.
        It ends after its longest life, or at `ends_at` if that is earlier.
        """
        customer_id, customer_version = customer
        now = asyncio.get_running_loop().time()
        lifetime_end = now + self.limits.max_lifetime * random.uniform(0.9, 1.0)
        has_position = after is not None and after <= customer_version
        stream = Stream(
            viewer=viewer,
            right=right,
            customer_id=customer_id,
            version=after if after is not None and has_position else customer_version,
            now=now,
            ends_at=min(lifetime_end, lifetime_end if ends_at is None else ends_at),
        )
        if requested_id != customer_id:
            stream.enqueue(frames.joined_frame(customer_id=requested_id, canonical_id=customer_id))
        position = None if has_position else customer_version
        self._enqueue_hello(stream, customer_version=customer_version, position=position)
        self._follow(stream, customer_version=customer_version)
        return stream

    def close(self, stream: Stream) -> None:
        """Abort a stream without its pending frames, and stop reading for it."""
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
        self.followers.add(stream, customer_version=customer_version)
        # Notifications may have come between the read of the version and now, so read once.
        self.read_queue.enqueue(stream)

    def _unfollow(self, stream: Stream) -> None:
        self.followers.discard(stream)
        self.read_queue.discard(stream)

    def follow_canonical(
        self, stream: Stream, canonical_id: str, customer_version: int | None
    ) -> None:
        """Make a stream follow the canonical customer of a merged record."""
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

    # Change notifications --------------------------------------------------------------

    def on_changes(self, changes: Iterable[tuple[str, int]]) -> None:
        """Start reads for the streams of changed customers."""
        for customer_id, version in changes:
            if self.followers.raise_known_version(customer_id, version):
                for stream in self.followers.of_customer(customer_id):
                    self.request_read(stream)

    def request_read(self, stream: Stream) -> None:
        """Enqueue a stream for reading if it is behind, has not ended and has room for frames."""
        is_behind = self.followers.known_version(stream.customer_id) > stream.version
        if is_behind and not stream.has_ended and stream.pending_bytes < self.limits.max_backlog:
            self.read_queue.enqueue(stream)

    # Time ------------------------------------------------------------------------------

    async def run_timers(self) -> None:
        """Send heartbeats, end streams after their lifetime, and abort stalled streams."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.limits.heartbeat_interval / 4))
            now = loop.time()
            for stream in self.followers:
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
        """End a stream after its pending frames and a last frame with the reason."""
        metrics.ended_streams.labels(reason).inc()
        stream.end(frames.ended_frame(reason=reason, retry=_reconnect_delay()))
        self._unfollow(stream)

    def end_all(self, *, reason: str) -> None:
        """End all streams of the process, each with a last frame."""
        for stream in self.followers:
            self.end_stream(stream, reason=reason)


def _reconnect_delay() -> int:
    """Return random milliseconds, so that not all readers reconnect at the same time."""
    return random.randint(500, 3000)
