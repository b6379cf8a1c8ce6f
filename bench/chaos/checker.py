"""Compares what was acknowledged with what is there. Pure; knows nothing of how it ran.

The names C1 to C10 are those of docs/invariants.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bench.chaos.ledger import Request, Sent


class Stored(NamedTuple):
    """An event on a log."""

    customer_id: str
    version: int
    message_id: str
    # The owner that its body names.
    owner: str
    # Butler's own note, such as "Message Sent": no client sent it.
    is_own: bool = False


class Shown(NamedTuple):
    """An event that a stream showed."""

    version: int
    message_id: str
    owner: str


class Watched(NamedTuple):
    """All that one reader got, over all its reconnects."""

    customer_id: str
    # The version that it was greeted with first: what it saw begins after that.
    after: int
    shown: Sequence[Shown]


class Facts(NamedTuple):
    """What is there after the run."""

    stored: Sequence[Stored]
    # How far each log is, as its head says.
    heads: Mapping[str, int]
    # Message ids of what was kept apart, one for each row.
    apart: Sequence[str]
    watched: Sequence[Watched] = ()
    # Records that differ from what their logs amount to.
    differing: int = 0


class Finding(NamedTuple):
    check: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what}"


def check(requests: Sequence[Request], facts: Facts) -> list[Finding]:
    """Return everything that is wrong; an empty list is the only good one."""
    rules = (
        _nothing_acknowledged_is_lost,
        _nothing_is_stored_twice,
        _nothing_is_stored_that_was_not_sent,
        _everything_was_told,
        _records_are_what_their_logs_say,
        _versions_have_no_gaps,
        _events_are_with_their_owners,
        _streams_showed_everything_once,
        _what_was_kept_apart_is_there,
        _what_was_told_is_true,
    )
    return [finding for rule in rules for finding in rule(requests, facts)]


def _fit(events: Iterable[Sent]) -> set[str]:
    return {event.message_id for event in events if event.is_fit}


def _acknowledged(requests: Sequence[Request]) -> Iterator[Sent]:
    return (event for request in requests if request.told for event in request.events)


def _nothing_acknowledged_is_lost(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    lost = _fit(_acknowledged(requests)) - {event.message_id for event in facts.stored}
    if lost:
        yield Finding("C1", f"{len(lost)} acknowledged events are lost, such as {min(lost)}")


def _nothing_is_stored_twice(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    times = Counter(event.message_id for event in facts.stored)
    doubled = [message_id for message_id, count in times.items() if count > 1]
    if doubled:
        yield Finding("C2", f"{len(doubled)} events are stored twice, such as {min(doubled)}")


def _nothing_is_stored_that_was_not_sent(
    requests: Sequence[Request], facts: Facts
) -> Iterator[Finding]:
    sent = _fit(event for request in requests if request.attempts for event in request.events)
    phantoms = {event.message_id for event in facts.stored if not event.is_own} - sent
    if phantoms:
        yield Finding("C3", f"{len(phantoms)} events nobody sent, such as {min(phantoms)}")


def _everything_was_told(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    unknown = sum(request.attempts > 0 and request.is_unknown for request in requests)
    refused = sum(request.rejections > 0 for request in requests)
    if unknown:
        yield Finding("C4", f"{unknown} requests were never answered, however often sent")
    if refused:
        yield Finding("C4", f"{refused} requests that are in order were refused")


def _records_are_what_their_logs_say(
    requests: Sequence[Request], facts: Facts
) -> Iterator[Finding]:
    if facts.differing:
        yield Finding("C5", f"{facts.differing} records differ from what their logs amount to")


def _versions_have_no_gaps(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    logs: dict[str, list[int]] = defaultdict(list)
    for event in facts.stored:
        logs[event.customer_id].append(event.version)
    for customer_id, head in facts.heads.items():
        versions = sorted(logs.pop(customer_id, []))
        if versions != list(range(1, head + 1)):
            yield Finding("C9", f"the log of {customer_id} says {head}, holds {_short(versions)}")
    for customer_id in logs:
        yield Finding("C9", f"the log of {customer_id} has no head")


def _events_are_with_their_owners(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    homes: dict[str, set[str]] = defaultdict(set)
    guests: dict[str, set[str]] = defaultdict(set)
    for event in facts.stored:
        if event.owner:
            homes[event.owner].add(event.customer_id)
            guests[event.customer_id].add(event.owner)
    for customer_id, owners in guests.items():
        if len(owners) > 1:
            yield Finding("C9", f"the log of {customer_id} holds events of {sorted(owners)[:3]}")
    for owner, logs in homes.items():
        if len(logs) > 1:
            yield Finding("C9", f"the events of {owner} are spread over {len(logs)} logs")


def _streams_showed_everything_once(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    there = {(event.customer_id, event.version): event for event in facts.stored}
    for reader in facts.watched:
        versions = [shown.version for shown in reader.shown]
        head = facts.heads.get(reader.customer_id, 0)
        if versions != list(range(reader.after + 1, head + 1)):
            yield Finding(
                "C9",
                f"a reader of {reader.customer_id} was shown {_short(versions)} "
                f"after {reader.after}, where the log goes to {head}",
            )
        for shown in reader.shown:
            event = there.get((reader.customer_id, shown.version))
            if event is None or event[2:4] != (shown.message_id, shown.owner):
                yield Finding(
                    "C9", f"a reader of {reader.customer_id} was shown {shown}, not {event}"
                )
                break


def _what_was_kept_apart_is_there(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    told = Counter(event.message_id for event in _acknowledged(requests) if not event.is_fit)
    sent = Counter(
        event.message_id
        for request in requests
        if request.attempts
        for event in request.events
        if not event.is_fit
    )
    kept = Counter(facts.apart)
    if missing := told - kept:
        yield Finding("C10", f"{missing.total()} events told to be kept apart are not there")
    if surplus := kept - sent:
        yield Finding("C10", f"{surplus.total()} events are kept apart without having been told")


def _what_was_told_is_true(requests: Sequence[Request], facts: Facts) -> Iterator[Finding]:
    for request in requests:
        unfit = sum(not event.is_fit for event in request.events)
        for told in request.told:
            if told.apart != unfit or sum(told) != len(request.events):
                yield Finding(
                    "C10",
                    f"of {len(request.events)} events, {unfit} of them unfit, "
                    f"a client was told {told}",
                )
                return


def _short(versions: Sequence[int]) -> str:
    """Describe versions by their runs: 1-7 9-12."""
    runs: list[list[int]] = []
    for before, version in pairwise([None, *versions]):
        if before is not None and version == before + 1:
            runs[-1][1] = version or 0
        else:
            runs.append([version or 0, version or 0])
    shown = [f"{first}-{last}" if first != last else str(first) for first, last in runs[:8]]
    return " ".join(shown) + (" …" if len(runs) > 8 else "") or "nothing"
