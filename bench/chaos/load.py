"""The load: events of customers at a constant rate.

It is an open loop: each request is sent at its time, even if earlier requests still wait. So the
measured latency includes the effect of a stall on all waiting requests.
"""

import asyncio
import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.chaos.http import Connections
from bench.chaos.recipients import Recipients
from bench.chaos.request_log import Acknowledgement, Request, RequestLog, SentEvent

# Seconds after which a client gives a request up. Its outcome is then unknown.
TIMEOUT = 10.0
# The largest number of simultaneous requests. With more, the client would be the bottleneck.
MAX_OPEN_REQUESTS = 400

RIDES = ("Comet", "Old Mill", "Lantern Walk", "Tidal Run", "Night Owl")


@dataclass
class Pace:
    """The size and rate of the load, and the shares of unusual events."""

    events: int
    per_second: float
    batch: int = 40
    customers: int = 4000
    # Shares of events without identifiers, and of events with a reused id.
    unidentified_share: float = 0.004
    reused_id_share: float = 0.004
    # Share of requests that are sent twice at the same time.
    duplicate_share: float = 0.02
    # Customers with a stream reader, and their share of the events.
    watched_customers: int = 40
    watched_share: float = 0.2
    # Share of events of recipients, until all of them are sent.
    messaged_share: float = 0.0


@dataclass
class ClientStats:
    """Counts and times of the client, besides the request log."""

    statuses: Counter[str] = field(default_factory=Counter)
    # Answers with status 503 and without Retry-After.
    without_retry_after: int = 0
    slowest: float = 0.0
    late_requests: int = 0
    # The send time of the newest acknowledged request, and the time of the last failure.
    acknowledged_from: float = 0.0
    failed_at: float = 0.0

    def add_failure(self, reason: str, now: float) -> None:
        """Count a failure under its reason, and remember the time of the last one."""
        self.statuses[reason] += 1
        self.failed_at = now


class Load:
    """Sends events, writes the request log, and repeats unanswered requests."""

    def __init__(
        self, request_log: RequestLog, connections: Connections, key: str, pace: Pace, seed: int
    ) -> None:
        self.pace = pace
        self.recipients: Recipients | None = None
        self.stats = ClientStats()
        self.owners = [f"chaos-{seed}-{n}" for n in range(pace.customers)]
        self.sent = 0
        self._request_log = request_log
        self._connections = connections
        self._random = random.Random(seed)
        self._run = f"{seed}-{time.time_ns():x}"
        self._bodies: dict[int, bytes] = {}
        self._reusable: list[SentEvent] = []
        self._open_requests = asyncio.Semaphore(MAX_OPEN_REQUESTS)
        token = base64.b64encode(f"{key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    # Sending ---------------------------------------------------------------------------

    async def identify_customers(self) -> None:
        """Send an identify event for each customer, so that readers can open their streams."""
        for start in range(0, len(self.owners), 100):
            owners = self.owners[start : start + 100]
            await self._send(
                self._create_request([self._identify_event(owner) for owner in owners])
            )
        events = self.recipients.identify_events() if self.recipients else []
        for start in range(0, len(events), 100):
            await self._send(self._create_request(events[start : start + 100]))

    async def measure_capacity(self, *, seconds: float = 4) -> float:
        """Measure the capacity of the system, reduce the rate to half of it, and return it.

        Above the capacity, the waiting time grows without limit, with or without a fault.
        """
        started, sent_before = time.monotonic(), self.sent

        async def keep_sending() -> None:
            while time.monotonic() - started < seconds:
                await self._send(self._create_request(self._events()))

        await asyncio.gather(*(keep_sending() for _ in range(8)))
        capacity = (self.sent - sent_before) / (time.monotonic() - started)
        self.pace.per_second = min(self.pace.per_second, capacity / 2)
        return capacity

    async def run(self, *, is_over: Callable[[], bool]) -> None:
        """Send each request at its time, until `is_over` returns true."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            number = 0
            while self.sent < self.pace.events or not is_over():
                due = started + number * self.pace.batch / self.pace.per_second
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                self.stats.late_requests += wait < -1
                await self._open_requests.acquire()
                request = self._create_request(self._events())
                group.create_task(self._send_and_release(request))
                if self._random.random() < self.pace.duplicate_share:
                    await self._open_requests.acquire()
                    group.create_task(self._send_and_release(request))
                number += 1

    async def resend_unanswered(self, *, seconds: float = 60) -> None:
        """Repeat unanswered requests with the same ids, until they are answered or time is up."""
        deadline = time.monotonic() + seconds
        while (unknown := self._request_log.unknown_requests()) and time.monotonic() < deadline:
            await asyncio.gather(*(self._send(request) for request in unknown[:50]))
            await asyncio.sleep(0.2)

    async def _send_and_release(self, request: Request) -> None:
        try:
            await self._send(request)
        finally:
            self._open_requests.release()

    async def _send(self, request: Request) -> None:
        sent_at = time.monotonic()
        self._request_log.add_attempt(request, sent_at)
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._connections.post(
                    "/v1/batch", self._bodies[request.number], self._headers
                )
        except (OSError, TimeoutError) as error:
            self.stats.add_failure(type(error).__name__, time.monotonic())
            self._request_log.add_unknown(request, time.monotonic(), type(error).__name__)
            return
        now = time.monotonic()
        self.stats.slowest = max(self.stats.slowest, now - sent_at)
        if answer.status == 200:
            self.stats.statuses["200"] += 1
            self._acknowledge(request, answer.headers, sent_at, now)
            return
        self.stats.add_failure(str(answer.status), now)
        if answer.status in {429, 500, 502, 503, 504}:
            self.stats.without_retry_after += "retry-after" not in answer.headers
            self._request_log.add_unknown(request, now, str(answer.status))
        else:
            self._request_log.add_rejection(request, now, answer.status)

    def _acknowledge(
        self, request: Request, headers: Mapping[str, str], sent_at: float, now: float
    ) -> None:
        acknowledgement = Acknowledgement(
            accepted=int(headers["butler-accepted"]),
            duplicates=int(headers["butler-duplicates"]),
            quarantined=int(headers["butler-quarantined"]),
        )
        self._request_log.add_acknowledgement(request, now, acknowledgement)
        self.stats.acknowledged_from = max(self.stats.acknowledged_from, sent_at)
        if len(request.acknowledgements) == 1:
            self._reusable += [event for event in request.events[:1] if event.is_valid]

    # Requests and events ---------------------------------------------------------------

    def _create_request(self, events: Sequence[tuple[SentEvent, dict[str, object]]]) -> Request:
        request = self._request_log.create_request([event for event, _ in events])
        body = {"batch": [body for _, body in events]}
        self._bodies[request.number] = json.dumps(body, separators=(",", ":")).encode()
        self.sent += len(events)
        return request

    def _events(self) -> list[tuple[SentEvent, dict[str, object]]]:
        events = []
        for _ in range(self.pace.batch):
            draw = self._random.random()
            recipient_event = (
                self.recipients.next_event()
                if self.recipients and draw > 1 - self.pace.messaged_share
                else None
            )
            if recipient_event:
                events.append(recipient_event)
            elif draw < self.pace.unidentified_share:
                events.append(self._unidentified_event())
            elif draw < self.pace.unidentified_share + self.pace.reused_id_share and self._reusable:
                events.append(self._reused_id_event())
            elif draw < 0.05:
                events.append(self._identify_event(self._owner()))
            else:
                events.append(self._ride_event(self._owner()))
        return events

    def _owner(self) -> str:
        is_watched = self._random.random() < self.pace.watched_share
        return self._random.choice(
            self.owners[: self.pace.watched_customers] if is_watched else self.owners
        )

    def _new_id(self) -> str:
        return f"{self._run}-{self._random.getrandbits(64):016x}"

    def _ride_event(self, owner: str) -> tuple[SentEvent, dict[str, object]]:
        sent = SentEvent(self._new_id(), owner)
        ride = {"ride": self._random.choice(RIDES), "wait": self._random.randint(0, 60)}
        return sent, _event_body(sent, "track", userId=owner, event="Ride Entered", properties=ride)

    def _identify_event(self, owner: str) -> tuple[SentEvent, dict[str, object]]:
        sent = SentEvent(self._new_id(), owner)
        traits = {"visits": self._random.randint(1, 99), "favorite": self._random.choice(RIDES)}
        return sent, _event_body(sent, "identify", userId=owner, traits=traits)

    def _unidentified_event(self) -> tuple[SentEvent, dict[str, object]]:
        sent = SentEvent(self._new_id(), "nobody", is_valid=False)
        return sent, _event_body(sent, "track", event="Ride Entered")

    def _reused_id_event(self) -> tuple[SentEvent, dict[str, object]]:
        """Return an event with other content and the id of an acknowledged event."""
        reused = self._reusable.pop(self._random.randrange(len(self._reusable)))
        sent = SentEvent(reused.message_id, reused.owner, is_valid=False)
        return sent, _event_body(
            sent, "track", userId=reused.owner, event=f"Other {self._new_id()}"
        )


def _event_body(sent: SentEvent, kind: str, **facts: object) -> dict[str, object]:
    # The body also names the owner, so that the checker detects an event on a wrong log.
    context = {"owner": sent.owner}
    return {"type": kind, "messageId": sent.message_id, "context": context, **facts}
