"""All open streams of a process: who follows which log, what rang, what has to be read.

A ring names a customer and a version. It only wakes: events always come from Postgres, by
version, so a ring that is lost, doubled or late does no harm.
"""

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import batched

from channels.live import access, frames, metrics
from channels.live.access import Right, Viewer
from channels.live.event_reader import Logs, Page
from channels.live.limits import Limits
from channels.live.postgres import Away
from channels.live.streams import Stream

log = logging.getLogger(__name__)

# Streams looked at together; a larger slice would keep the loop from sending meanwhile.
SLICE = 500


class Hub:
    """The streams of this process, by the log that they follow."""

    def __init__(self, logs: Logs, limits: Limits) -> None:
        self.limits = limits
        self.hears_rings = False
        self._logs = logs
        self._followers: dict[str, set[Stream]] = {}
        # The highest version heard of, for each log that is followed.
        self._heads: dict[str, int] = {}
        self._wanted: dict[Stream, None] = {}
        self._work = asyncio.Event()
        self._look = asyncio.Event()
        self._looked_at = float("-inf")
        self._surveying = asyncio.Lock()

    # Coming and going ------------------------------------------------------------------

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    def has_room(self, viewer: Viewer, right: Right, customer_id: str) -> bool:
        """Tell whether one more stream of this customer may be opened.

        A customer's own streams count together. Others count by viewer: a busy call desk
        must not keep a customer out, nor the other way around.
        """
        same = sum(
            s.right is right and (right is Right.OWN or s.viewer.name == viewer.name)
            for s in self._followers.get(customer_id, ())
        )
        return same < self.limits.streams_per_customer

    def open(
        self,
        *,
        viewer: Viewer,
        right: Right,
        asked: str,
        customer_id: str,
        head: int,
        after: int | None,
    ) -> Stream:
        """Follow the log that `asked` leads to, after a version or from its head on."""
        now = asyncio.get_running_loop().time()
        has_position = after is not None and after <= head
        stream = Stream(
            viewer=viewer,
            right=right,
            customer_id=customer_id,
            at=after if after is not None and has_position else head,
            now=now,
            ends_at=now + self.limits.lifetime * random.uniform(0.9, 1.0),
        )
        if asked != customer_id:
            stream.put(frames.joined(customer_id=asked, canonical_id=customer_id))
        self._greet(stream, head=head, position=None if has_position else head)
        self._follow(stream, head=head)
        return stream

    def close(self, stream: Stream) -> None:
        stream.drop()
        self._unfollow(stream)

    def _greet(self, stream: Stream, *, head: int, position: int | None) -> None:
        greeting = frames.hello(
            customer_id=stream.customer_id, version=head, position=position, retry=_retry()
        )
        stream.put(greeting)

    def _follow(self, stream: Stream, *, head: int) -> None:
        self._followers.setdefault(stream.customer_id, set()).add(stream)
        self._heads[stream.customer_id] = max(head, self._heads.get(stream.customer_id, 0))
        # The head was read before this stream could hear a ring, so it looks once by itself.
        self._want(stream)

    def _unfollow(self, stream: Stream) -> None:
        followers = self._followers.get(stream.customer_id, set())
        followers.discard(stream)
        self._wanted.pop(stream, None)
        if not followers:
            self._followers.pop(stream.customer_id, None)
            self._heads.pop(stream.customer_id, None)

    # Rings -----------------------------------------------------------------------------

    def hear(self, changes: Iterable[tuple[str, int]]) -> None:
        """Wake the streams whose logs went on."""
        for customer_id, version in changes:
            if version > self._heads.get(customer_id, version):
                self._heads[customer_id] = version
                for stream in self._followers[customer_id]:
                    self.want_more(stream)

    def hear_again(self) -> None:
        """Rings can be heard from now on: look for what rang before."""
        self.hears_rings = True
        self._look.set()

    def want_more(self, stream: Stream) -> None:
        is_behind = self._heads.get(stream.customer_id, 0) > stream.at
        if is_behind and not stream.has_ended and stream.waiting_size < self.limits.backlog:
            self._want(stream)

    def _want(self, stream: Stream) -> None:
        if not stream.busy:
            stream.busy = True
            self._wanted[stream] = None
            self._work.set()

    # Reading ---------------------------------------------------------------------------

    async def read(self) -> None:
        """Read what is wanted, for ever. While one read runs, the next one fills up."""
        while True:
            await self._work.wait()
            self._work.clear()
            while wanted := list(self._wanted)[:SLICE]:
                for stream in wanted:
                    del self._wanted[stream]
                try:
                    await self._read(wanted)
                except Away:
                    self._wanted.update(dict.fromkeys(s for s in wanted if not s.has_ended))
                    await asyncio.sleep(random.uniform(0.2, 0.6))

    async def _read(self, wanted: Sequence[Stream]) -> None:
        heard = {s.customer_id: self._heads.get(s.customer_id, 0) for s in wanted}
        places = {(s.customer_id, s.at) for s in wanted if not s.has_ended}
        pages = await self._logs.read(places) if places else {}
        metrics.reads.inc()
        has_moved = any(page.has_identity for page in pages.values())
        age = asyncio.get_running_loop().time() - self._looked_at
        if pages and (has_moved or age > self.limits.rights_age):
            # Who a record belongs to has just changed, or nobody has looked for a while: those
            # who are about to be shown something are looked at first.
            async with self._surveying:
                await self._look_at([s for s in wanted if (s.customer_id, s.at) in pages])
        for stream in wanted:
            stream.busy = False
            if stream.has_ended:
                continue
            place = stream.customer_id, stream.at
            if page := pages.get(place):
                self._deliver(stream, page)
            elif place in places and self._heads.get(place[0]) == heard.get(place[0]):
                # A ring can say more than the log holds: believed, it would be read for ever.
                self._heads[stream.customer_id] = stream.at
            self.want_more(stream)

    def _deliver(self, stream: Stream, page: Page) -> None:
        stream.put(page.frames)
        stream.at = page.last
        metrics.events.inc(page.events)
        if page.last > self._heads.get(stream.customer_id, 0):
            self._heads[stream.customer_id] = page.last

    # Looking after ---------------------------------------------------------------------

    async def look_after(self) -> None:
        """Look at rights and heads every few seconds, for ever, and when rings come back."""
        while True:
            pause = self.limits.survey if self.hears_rings else self.limits.survey_without_rings
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), pause)
            self._look.clear()
            try:
                await self.survey()
            except Away:
                log.warning("postgres does not answer; open streams wait")

    async def survey(self) -> None:
        """End streams that lost their right, follow joined records, notice unheard events."""
        async with self._surveying:
            started = asyncio.get_running_loop().time()
            everyone = [s for followers in self._followers.values() for s in followers]
            for some in batched(everyone, SLICE):
                await self._look_at(some)
                await asyncio.sleep(0)
            self._looked_at = started

    async def _look_at(self, streams: Sequence[Stream]) -> None:
        open_ones = [s for s in streams if not s.has_ended]
        seen = await self._logs.look(open_ones)
        for stream in open_ones:
            # Its reader may have gone meanwhile; it must not be followed again.
            if stream.has_ended:
                continue
            verdict = access.still_may(
                stream.viewer,
                stream.right,
                stream.customer_id,
                logins=seen.logins,
                keys=seen.keys,
                canonical=seen.canonical,
            )
            if not verdict.may_go_on:
                metrics.ended.labels("rights").inc()
                stream.end(frames.ended(reason="rights", retry=_retry()))
                self._unfollow(stream)
            elif verdict.customer_id != stream.customer_id:
                self._join(stream, verdict.customer_id, seen.heads.get(verdict.customer_id))
            else:
                self._notice(stream, seen.heads[stream.customer_id])

    def _notice(self, stream: Stream, head: int) -> None:
        if head > self._heads.get(stream.customer_id, head):
            metrics.unheard.inc()
            self._heads[stream.customer_id] = head
        self.want_more(stream)

    def _join(self, stream: Stream, canonical_id: str, head: int | None) -> None:
        if head is None:
            return
        self._unfollow(stream)
        stream.put(frames.joined(customer_id=stream.customer_id, canonical_id=canonical_id))
        stream.customer_id = canonical_id
        stream.at = head
        self._greet(stream, head=head, position=head)
        stream.busy = False
        self._follow(stream, head=head)

    # Time ------------------------------------------------------------------------------

    async def pulse(self) -> None:
        """Keep silent streams alive, end old ones and drop those who do not listen."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.limits.heartbeat / 4))
            now = loop.time()
            for stream in [s for group in self._followers.values() for s in group]:
                self._check(stream, now)

    def _check(self, stream: Stream, now: float) -> None:
        if stream.stuck_since is not None:
            if now - stream.stuck_since > self.limits.stall:
                metrics.ended.labels("slow").inc()
                self.close(stream)
        elif now >= stream.ends_at:
            self.bid_farewell(stream, reason="lifetime")
        elif now - stream.sent_at >= self.limits.heartbeat and not stream.waiting:
            stream.put(frames.HEARTBEAT)

    def bid_farewell(self, stream: Stream, *, reason: str) -> None:
        metrics.ended.labels(reason).inc()
        stream.end(frames.ended(reason=reason, retry=_retry()))
        self._unfollow(stream)

    def end_all(self, *, reason: str) -> None:
        for stream in [s for group in self._followers.values() for s in group]:
            self.bid_farewell(stream, reason=reason)


def _retry() -> int:
    """Milliseconds after which a reader comes back; they should not all come at once."""
    return random.randint(500, 3000)
