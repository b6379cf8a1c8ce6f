"""Proves the checker: a small shop of events with faults one can switch on.

Without a bug it keeps every promise under every seed. Each bug breaks one promise in the way
real systems do, and a checker that does not notice proves nothing about the real system.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.checker import Facts, Finding, Shown, Stored, Watched, check
from bench.chaos.ledger import Ledger, Request, Sent, Told

# What each bug is, and the check that has to notice it.
BUGS = {
    "ack_before_commit": ("the answer is sent first, and the crash comes between", "C1"),
    "swallowed_exception": ("an error in the middle of a batch is logged and forgotten", "C1"),
    "lost_rows": ("the last event of a large batch is not written", "C1"),
    "no_unique_constraint": ("a batch that is sent again is stored again", "C2"),
    "doubled_under_new_id": ("a worker that starts again makes up a new id", "C3"),
    "client_gives_up": ("what was never answered is not sent again", "C4"),
    "refuses_repeats": ("a batch that was stored already is answered with an error", "C4"),
    "projection_outside": ("the record is updated after the commit, or not at all", "C5"),
    "version_from_sequence": ("a rollback leaves a hole in the versions", "C9"),
    "filed_under_neighbor": ("an event goes onto somebody else's log", "C9"),
    "cursor_by_id": ("streams ask for rows with a higher id, and miss late commits", "C9"),
    "stream_without_owner": ("a stream shows what happens to everybody", "C9"),
    "stream_repeats": ("a reader that comes back gets the last event again", "C9"),
    "stream_skips": ("a reader that comes back starts at the head", "C9"),
    "dedupe_by_id_only": ("the same id with other content counts as a repeat", "C10"),
    "quarantine_dropped": ("what cannot be stored is thrown away", "C10"),
    "told_wrong": ("what is kept apart is told to be accepted", "C10"),
}

OWNERS = [f"guest-{n}" for n in range(6)]


class Crash(Exception):
    """The process died; what was not committed is gone."""


@dataclass
class Shop:
    """Takes events in, keeps logs, shows them. `bug` is what is wrong with it."""

    random: random.Random
    bug: str = ""
    stored: list[Stored] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    apart: list[str] = field(default_factory=list)
    seen: dict[str, Sent] = field(default_factory=dict)
    record: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def has(self, bug: str) -> bool:
        return self.bug == bug and self.random.random() < 0.3

    def take(self, events: Sequence[Sent]) -> Told:
        """Store a batch in one transaction; raise Crash before or after the commit."""
        if self.has("ack_before_commit"):
            return self._told(events)
        if self.random.random() < 0.1:
            if self.has("version_from_sequence"):
                self.heads[events[0].owner] += 1
            raise Crash
        if self.has("refuses_repeats") and any(e.message_id in self.seen for e in events):
            raise ValueError
        told = self._store(events)
        if self.random.random() < 0.1:
            raise Crash
        return told

    def _store(self, events: Sequence[Sent]) -> Told:
        became: Counter[str] = Counter()
        for place, event in enumerate(events):
            if self.has("swallowed_exception"):
                return self._told(events)
            is_last_of_many = place == len(events) - 1 and place > 3
            if is_last_of_many and event.is_fit and self.has("lost_rows"):
                became["accepted"] += 1
            else:
                became[self._take_one(event)] += 1
        if self.bug == "told_wrong":
            became["accepted"] += became.pop("apart", 0)
        return Told(became["accepted"], became["duplicate"], became["apart"])

    def _take_one(self, event: Sent) -> str:
        before = self.seen.get(event.message_id)
        if before == event and self.bug != "no_unique_constraint":
            return "duplicate"
        if before and self.bug == "dedupe_by_id_only":
            return "duplicate"
        if not event.is_fit:
            self._keep_apart(event)
            return "apart"
        self._append(event)
        return "accepted"

    def _told(self, events: Sequence[Sent]) -> Told:
        """Claim what should have happened."""
        unfit = sum(not event.is_fit for event in events)
        return Told(len(events) - unfit, 0, unfit)

    def _keep_apart(self, event: Sent) -> None:
        if not self.has("quarantine_dropped") and event.message_id not in self.apart:
            self.apart.append(event.message_id)

    def _append(self, event: Sent) -> None:
        log = event.owner
        if self.has("filed_under_neighbor"):
            log = self.random.choice(OWNERS)
        self.heads[log] += 1
        message_id = event.message_id
        if self.has("doubled_under_new_id"):
            message_id = f"new-{message_id}"
            self.stored.append(Stored(log, self.heads[log], event.message_id, event.owner))
            self.heads[log] += 1
        self.stored.append(Stored(log, self.heads[log], message_id, event.owner))
        self.seen[event.message_id] = event
        if not self.has("projection_outside"):
            self.record[log] = self.heads[log]

    def differing(self) -> int:
        """Count records that are not what their logs amount to."""
        logs = {event.customer_id for event in self.stored}
        return sum(
            self.record[log] != max(e.version for e in self.stored if e.customer_id == log)
            for log in logs
        )


@dataclass
class Reader:
    """Follows one log by version, and comes back whenever it was cut off."""

    shop: Shop
    customer_id: str
    shown: list[Shown] = field(default_factory=list)
    at: int = 0

    def look(self) -> None:
        if self.shop.has("stream_repeats"):
            self.at = max(0, self.at - 1)
        if self.shop.has("stream_skips"):
            self.at = self.shop.heads[self.customer_id]
        for event in list(self.shop.stored):
            is_mine = event.customer_id == self.customer_id or self.shop.has("stream_without_owner")
            if is_mine and event.version > self.at:
                self.at = event.version
                # Its row was not visible yet when a row with a higher id was.
                if not self.shop.has("cursor_by_id"):
                    self.shown.append(Shown(event.version, event.message_id, event.owner))

    def watched(self) -> Watched:
        return Watched(self.customer_id, 0, tuple(self.shown))


def run(seed: int, folder: Path, bug: str = "") -> list[Finding]:
    """Play one run with the shop and return what the checker finds."""
    dice = random.Random(seed)
    shop = Shop(dice, bug)
    readers = [Reader(shop, owner) for owner in OWNERS]
    with Ledger(folder / f"{bug or 'none'}-{seed}.jsonl") as ledger:
        for number in range(40):
            _send(ledger, shop, _events(dice, ledger, number))
            dice.choice(readers).look()
        for _ in range(60):
            for request in ledger.unknown_requests():
                if bug != "client_gives_up":
                    _attempt(ledger, shop, request)
        for reader in readers:
            reader.look()
        facts = Facts(
            stored=shop.stored,
            heads=dict(shop.heads),
            apart=shop.apart,
            watched=[reader.watched() for reader in readers],
            differing=shop.differing(),
        )
        return check(ledger.requests, facts)


def _events(dice: random.Random, ledger: Ledger, number: int) -> list[Sent]:
    events = [
        Sent(f"m-{number}-{place}", dice.choice(OWNERS), is_fit=dice.random() > 0.05)
        for place in range(dice.randint(1, 8))
    ]
    # The same id with other content: it has to be kept apart, and never to be dropped.
    known = [e for r in ledger.requests if r.told for e in r.events if e.is_fit]
    used = {e.message_id for r in ledger.requests for e in r.events if not e.is_fit}
    free = [e for e in known if e.message_id not in used]
    if free and dice.random() < 0.3:
        events.append(Sent(dice.choice(free).message_id, "somebody else", is_fit=False))
    return events


def _send(ledger: Ledger, shop: Shop, events: Sequence[Sent]) -> None:
    request = ledger.request(events)
    _attempt(ledger, shop, request)
    if shop.random.random() < 0.2:
        _attempt(ledger, shop, request)


def _attempt(ledger: Ledger, shop: Shop, request: Request) -> None:
    ledger.attempt(request, 0.0)
    try:
        ledger.ack(request, 0.0, shop.take(request.events))
    except Crash:
        ledger.unknown(request, 0.0, "crash")
    except ValueError:
        ledger.reject(request, 0.0, 409)
