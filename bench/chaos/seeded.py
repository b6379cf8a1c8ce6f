"""Tests the checker with a small fake event server, whose bugs can be turned on.

Without a bug, all invariants hold for each seed. Each bug violates one invariant in the way of real
systems. A checker that does not detect the bug would prove nothing about the real system.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.checker import Finding, Observations, ShownEvent, StoredEvent, WatchedLog, check
from bench.chaos.request_log import Acknowledgement, Request, RequestLog, SentEvent

# The description of each bug, and the check that has to detect it.
BUGS = {
    "ack_before_commit": ("the server answers before the commit, then crashes", "C1"),
    "swallowed_exception": ("the server logs and ignores an error inside a batch", "C1"),
    "lost_rows": ("the last event of a large batch is not written", "C1"),
    "no_unique_constraint": ("a repeated batch is stored again", "C2"),
    "doubled_under_new_id": ("a restarted worker stores the event with a new id", "C3"),
    "client_gives_up": ("the client does not repeat unanswered requests", "C4"),
    "refuses_repeats": ("the answer to a batch that is already stored is an error", "C4"),
    "projection_outside": ("the record is updated after the commit, or never", "C5"),
    "version_from_sequence": ("a rollback leaves a gap in the versions", "C9"),
    "filed_under_neighbor": ("an event is stored on the log of another customer", "C9"),
    "cursor_by_id": ("streams read rows with a higher id, and miss late commits", "C9"),
    "stream_without_owner": ("a stream sends the events of all customers", "C9"),
    "stream_repeats": ("a reader that reconnects gets the last event again", "C9"),
    "stream_skips": ("a reader that reconnects starts at the newest version", "C9"),
    "dedupe_by_id_only": ("the same id with other content counts as a duplicate", "C10"),
    "quarantine_dropped": ("items that cannot be stored are deleted", "C10"),
    "wrong_acknowledgement": ("quarantined events are acknowledged as accepted", "C10"),
}

OWNERS = [f"guest-{n}" for n in range(6)]


class Crash(Exception):
    """The process died. Uncommitted changes are lost."""


@dataclass
class FakeServer:
    """A fake server that ingests, stores and streams events. `bug` names its bug."""

    random: random.Random
    bug: str = ""
    events: list[StoredEvent] = field(default_factory=list)
    customer_versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    quarantined: list[str] = field(default_factory=list)
    event_by_id: dict[str, SentEvent] = field(default_factory=dict)
    record_versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def has_bug(self, bug: str) -> bool:
        """Return whether the server has this bug and it occurs now, with a probability of 30 %."""
        return self.bug == bug and self.random.random() < 0.3

    def ingest(self, events: Sequence[SentEvent]) -> Acknowledgement:
        """Store a batch in one transaction; raise Crash before or after the commit."""
        if self.has_bug("ack_before_commit"):
            return self._expected_acknowledgement(events)
        if self.random.random() < 0.1:
            if self.has_bug("version_from_sequence"):
                self.customer_versions[events[0].owner] += 1
            raise Crash
        if self.has_bug("refuses_repeats") and any(
            event.message_id in self.event_by_id for event in events
        ):
            raise ValueError
        acknowledgement = self._store(events)
        if self.random.random() < 0.1:
            raise Crash
        return acknowledgement

    def _store(self, events: Sequence[SentEvent]) -> Acknowledgement:
        counts: Counter[str] = Counter()
        for index, event in enumerate(events):
            if self.has_bug("swallowed_exception"):
                return self._expected_acknowledgement(events)
            is_last_of_many = index == len(events) - 1 and index > 3
            if is_last_of_many and event.is_valid and self.has_bug("lost_rows"):
                counts["accepted"] += 1
            else:
                counts[self._ingest_event(event)] += 1
        if self.bug == "wrong_acknowledgement":
            counts["accepted"] += counts.pop("apart", 0)
        return Acknowledgement(counts["accepted"], counts["duplicate"], counts["apart"])

    def _ingest_event(self, event: SentEvent) -> str:
        stored = self.event_by_id.get(event.message_id)
        if stored == event and self.bug != "no_unique_constraint":
            return "duplicate"
        if stored and self.bug == "dedupe_by_id_only":
            return "duplicate"
        if not event.is_valid:
            self._quarantine(event)
            return "apart"
        self._append(event)
        return "accepted"

    def _expected_acknowledgement(self, events: Sequence[SentEvent]) -> Acknowledgement:
        """Return the acknowledgement of a server without bugs."""
        invalid_count = sum(not event.is_valid for event in events)
        return Acknowledgement(len(events) - invalid_count, 0, invalid_count)

    def _quarantine(self, event: SentEvent) -> None:
        if not self.has_bug("quarantine_dropped") and event.message_id not in self.quarantined:
            self.quarantined.append(event.message_id)

    def _append(self, event: SentEvent) -> None:
        customer_id = event.owner
        if self.has_bug("filed_under_neighbor"):
            customer_id = self.random.choice(OWNERS)
        self.customer_versions[customer_id] += 1
        message_id = event.message_id
        if self.has_bug("doubled_under_new_id"):
            message_id = f"new-{message_id}"
            self.events.append(
                StoredEvent(
                    customer_id, self.customer_versions[customer_id], event.message_id, event.owner
                )
            )
            self.customer_versions[customer_id] += 1
        self.events.append(
            StoredEvent(customer_id, self.customer_versions[customer_id], message_id, event.owner)
        )
        self.event_by_id[event.message_id] = event
        if not self.has_bug("projection_outside"):
            self.record_versions[customer_id] = self.customer_versions[customer_id]

    def count_differing_records(self) -> int:
        """Count records that differ from the projection of their log."""
        logs = {event.customer_id for event in self.events}
        return sum(
            self.record_versions[customer_id]
            != max(event.version for event in self.events if event.customer_id == customer_id)
            for customer_id in logs
        )


@dataclass
class FakeReader:
    """Polls the log of one customer by version."""

    server: FakeServer
    customer_id: str
    events: list[ShownEvent] = field(default_factory=list)
    version: int = 0

    def poll(self) -> None:
        """Receive the visible events that are newer than the last received one."""
        if self.server.has_bug("stream_repeats"):
            self.version = max(0, self.version - 1)
        if self.server.has_bug("stream_skips"):
            self.version = self.server.customer_versions[self.customer_id]
        for event in list(self.server.events):
            is_visible = event.customer_id == self.customer_id or self.server.has_bug(
                "stream_without_owner"
            )
            if is_visible and event.version > self.version:
                self.version = event.version
                # A row with a higher id was visible before this row.
                if not self.server.has_bug("cursor_by_id"):
                    self.events.append(ShownEvent(event.version, event.message_id, event.owner))

    def watched_log(self) -> WatchedLog:
        return WatchedLog(self.customer_id, 0, tuple(self.events))


def run(seed: int, folder: Path, bug: str = "") -> list[Finding]:
    """Run the fake server once and return the findings of the checker."""
    random_ = random.Random(seed)
    server = FakeServer(random_, bug)
    readers = [FakeReader(server, owner) for owner in OWNERS]
    with RequestLog(folder / f"{bug or 'none'}-{seed}.jsonl") as request_log:
        for number in range(40):
            _send(request_log, server, _events(random_, request_log, number))
            random_.choice(readers).poll()
        for _ in range(60):
            for request in request_log.unknown_requests():
                if bug != "client_gives_up":
                    _attempt(request_log, server, request)
        for reader in readers:
            reader.poll()
        observed = Observations(
            events=server.events,
            customer_versions=dict(server.customer_versions),
            quarantined=server.quarantined,
            watched_logs=[reader.watched_log() for reader in readers],
            differing_records=server.count_differing_records(),
        )
        return check(request_log.requests, observed)


def _events(random_: random.Random, request_log: RequestLog, number: int) -> list[SentEvent]:
    events = [
        SentEvent(f"m-{number}-{place}", random_.choice(OWNERS), is_valid=random_.random() > 0.05)
        for place in range(random_.randint(1, 8))
    ]
    # Events with a used id and other content. The server has to quarantine them.
    acknowledged = [
        event
        for request in request_log.requests
        if request.acknowledgements
        for event in request.events
        if event.is_valid
    ]
    reused_ids = {
        event.message_id
        for request in request_log.requests
        for event in request.events
        if not event.is_valid
    }
    reusable = [event for event in acknowledged if event.message_id not in reused_ids]
    if reusable and random_.random() < 0.3:
        events.append(
            SentEvent(random_.choice(reusable).message_id, "somebody else", is_valid=False)
        )
    return events


def _send(request_log: RequestLog, server: FakeServer, events: Sequence[SentEvent]) -> None:
    request = request_log.create_request(events)
    _attempt(request_log, server, request)
    if server.random.random() < 0.2:
        _attempt(request_log, server, request)


def _attempt(request_log: RequestLog, server: FakeServer, request: Request) -> None:
    request_log.add_attempt(request, 0.0)
    try:
        request_log.add_acknowledgement(request, 0.0, server.ingest(request.events))
    except Crash:
        request_log.add_unknown(request, 0.0, "crash")
    except ValueError:
        request_log.add_rejection(request, 0.0, 409)
