"""The load: customers to whom things happen at a constant pace, whatever the server does.

Open loop: a request is due at its time even when the ones before it hang, so that a stall is
seen as what it is to everybody who waits.
"""

import asyncio
import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.chaos.guests import Guests
from bench.chaos.http import Connections
from bench.chaos.ledger import Ledger, Request, Sent, Told

# Seconds after which a client gives a request up; what became of it is unknown then.
PATIENCE = 10.0
# Requests on their way at once; with more of them the client would be the bottleneck.
MOST_OPEN = 400

RIDES = ("Comet", "Old Mill", "Lantern Walk", "Tidal Run", "Night Owl")


@dataclass
class Pace:
    """How much, how fast, and how much of it is odd."""

    events: int
    per_second: float
    batch: int = 40
    customers: int = 4000
    # Shares of events that name nobody, and of events that use an id again.
    nameless: float = 0.004
    reused: float = 0.004
    # Share of requests that are sent twice at the same time.
    doubled: float = 0.02
    # So many customers are watched, and this share of events is theirs.
    watched: int = 40
    seen: float = 0.2
    # Share of events that something is sent about, as long as there are any.
    told: float = 0.0


@dataclass
class Seen:
    """What the client saw, besides the ledger."""

    statuses: Counter[str] = field(default_factory=Counter)
    # Unavailable without a word about when to come back.
    without_retry_after: int = 0
    slowest: float = 0.0
    late: int = 0
    # When the newest acknowledged request was sent, and when the last one went wrong.
    acknowledged_from: float = 0.0
    failed_at: float = 0.0

    def failed(self, why: str, now: float) -> None:
        self.statuses[why] += 1
        self.failed_at = now


class Load:
    """Sends events, keeps the ledger, and never forgets what it does not know."""

    def __init__(
        self, ledger: Ledger, connections: Connections, key: str, pace: Pace, seed: int
    ) -> None:
        self.pace = pace
        self.guests: Guests | None = None
        self.seen = Seen()
        self.owners = [f"chaos-{seed}-{n}" for n in range(pace.customers)]
        self.sent = 0
        self._ledger = ledger
        self._connections = connections
        self._dice = random.Random(seed)
        self._run = f"{seed}-{time.time_ns():x}"
        self._bodies: dict[int, bytes] = {}
        self._reusable: list[Sent] = []
        self._open = asyncio.Semaphore(MOST_OPEN)
        token = base64.b64encode(f"{key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    # Sending ---------------------------------------------------------------------------

    async def introduce(self) -> None:
        """Make every customer known, so that readers have somebody to follow."""
        for start in range(0, len(self.owners), 100):
            some = self.owners[start : start + 100]
            await self._send(self._request([self._identify(owner) for owner in some]))
        guests = self.guests.introductions() if self.guests else []
        for start in range(0, len(guests), 100):
            await self._send(self._request(guests[start : start + 100]))

    async def find_pace(self, *, seconds: float = 4) -> float:
        """Slow down to half of what the system can do here and now, and return that.

        Above what it can do, everybody waits for ever longer and nobody is answered in time:
        that is what overload does, with or without a failure.
        """
        started, before = time.monotonic(), self.sent

        async def keep_sending() -> None:
            while time.monotonic() - started < seconds:
                await self._send(self._request(self._events()))

        await asyncio.gather(*(keep_sending() for _ in range(8)))
        most = (self.sent - before) / (time.monotonic() - started)
        self.pace.per_second = min(self.pace.per_second, most / 2)
        return most

    async def run(self, *, is_over: Callable[[], bool]) -> None:
        """Send everything and more until it is over, each request when it is due."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            number = 0
            while self.sent < self.pace.events or not is_over():
                due = started + number * self.pace.batch / self.pace.per_second
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                self.seen.late += wait < -1
                await self._open.acquire()
                request = self._request(self._events())
                group.create_task(self._send_and_release(request))
                if self._dice.random() < self.pace.doubled:
                    await self._open.acquire()
                    group.create_task(self._send_and_release(request))
                number += 1

    async def settle(self, *, patience: float = 60) -> None:
        """Send again, with the same ids, whatever was never answered, until it is."""
        deadline = time.monotonic() + patience
        while (unknown := self._ledger.unknown_requests()) and time.monotonic() < deadline:
            await asyncio.gather(*(self._send(request) for request in unknown[:50]))
            await asyncio.sleep(0.2)

    async def _send_and_release(self, request: Request) -> None:
        try:
            await self._send(request)
        finally:
            self._open.release()

    async def _send(self, request: Request) -> None:
        sent_at = time.monotonic()
        self._ledger.attempt(request, sent_at)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._connections.post(
                    "/v1/batch", self._bodies[request.number], self._headers
                )
        except (OSError, TimeoutError) as error:
            self.seen.failed(type(error).__name__, time.monotonic())
            self._ledger.unknown(request, time.monotonic(), type(error).__name__)
            return
        now = time.monotonic()
        self.seen.slowest = max(self.seen.slowest, now - sent_at)
        if answer.status == 200:
            self.seen.statuses["200"] += 1
            self._acknowledge(request, answer.headers, sent_at, now)
            return
        self.seen.failed(str(answer.status), now)
        if answer.status in {429, 500, 502, 503, 504}:
            self.seen.without_retry_after += "retry-after" not in answer.headers
            self._ledger.unknown(request, now, str(answer.status))
        else:
            self._ledger.reject(request, now, answer.status)

    def _acknowledge(
        self, request: Request, headers: Mapping[str, str], sent_at: float, now: float
    ) -> None:
        told = Told(
            accepted=int(headers["butler-accepted"]),
            duplicates=int(headers["butler-duplicates"]),
            apart=int(headers["butler-quarantined"]),
        )
        self._ledger.ack(request, now, told)
        self.seen.acknowledged_from = max(self.seen.acknowledged_from, sent_at)
        if len(request.told) == 1:
            self._reusable += [event for event in request.events[:1] if event.is_fit]

    # Making up -------------------------------------------------------------------------

    def _request(self, items: Sequence[tuple[Sent, dict[str, object]]]) -> Request:
        request = self._ledger.request([event for event, _ in items])
        body = {"batch": [item for _, item in items]}
        self._bodies[request.number] = json.dumps(body, separators=(",", ":")).encode()
        self.sent += len(items)
        return request

    def _events(self) -> list[tuple[Sent, dict[str, object]]]:
        items = []
        for _ in range(self.pace.batch):
            dice = self._dice.random()
            told = self.guests.next() if self.guests and dice > 1 - self.pace.told else None
            if told:
                items.append(told)
            elif dice < self.pace.nameless:
                items.append(self._nameless())
            elif dice < self.pace.nameless + self.pace.reused and self._reusable:
                items.append(self._reuse())
            elif dice < 0.05:
                items.append(self._identify(self._owner()))
            else:
                items.append(self._ride(self._owner()))
        return items

    def _owner(self) -> str:
        is_watched = self._dice.random() < self.pace.seen
        return self._dice.choice(self.owners[: self.pace.watched] if is_watched else self.owners)

    def _new_id(self) -> str:
        return f"{self._run}-{self._dice.getrandbits(64):016x}"

    def _ride(self, owner: str) -> tuple[Sent, dict[str, object]]:
        sent = Sent(self._new_id(), owner)
        ride = {"ride": self._dice.choice(RIDES), "wait": self._dice.randint(0, 60)}
        return sent, _item(sent, "track", userId=owner, event="Ride Entered", properties=ride)

    def _identify(self, owner: str) -> tuple[Sent, dict[str, object]]:
        sent = Sent(self._new_id(), owner)
        traits = {"visits": self._dice.randint(1, 99), "favorite": self._dice.choice(RIDES)}
        return sent, _item(sent, "identify", userId=owner, traits=traits)

    def _nameless(self) -> tuple[Sent, dict[str, object]]:
        sent = Sent(self._new_id(), "nobody", is_fit=False)
        return sent, _item(sent, "track", event="Ride Entered")

    def _reuse(self) -> tuple[Sent, dict[str, object]]:
        """Use the id of an acknowledged event for something else."""
        before = self._reusable.pop(self._dice.randrange(len(self._reusable)))
        sent = Sent(before.message_id, before.owner, is_fit=False)
        return sent, _item(sent, "track", userId=before.owner, event=f"Other {self._new_id()}")


def _item(sent: Sent, kind: str, **facts: object) -> dict[str, object]:
    # The owner is inside the body too: that is how an event on a wrong log is noticed.
    context = {"owner": sent.owner}
    return {"type": kind, "messageId": sent.message_id, "context": context, **facts}
