"""Compares acknowledged events with the stored ones. Pure.

The names C1 to C10 are those of docs/invariants.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bench.chaos.request_log import Request, SentEvent


class StoredEvent(NamedTuple):
    """An event on a log."""

    customer_id: str
    version: int
    message_id: str
    # The owner that its body names.
    owner: str
    # An event of Butler itself, such as "Message Sent": no client sent it.
    is_internal: bool = False


class ShownEvent(NamedTuple):
    """An event that a stream sent."""

    version: int
    message_id: str
    owner: str


class WatchedLog(NamedTuple):
    """The events that one reader received, over all its reconnects."""

    customer_id: str
    # The version of the first hello: the reader's events follow it.
    start_version: int
    events: Sequence[ShownEvent]


class Observations(NamedTuple):
    """The state of the system after the run."""

    events: Sequence[StoredEvent]
    # The version of each customer.
    customer_versions: Mapping[str, int]
    # Message ids in quarantine, one for each row.
    quarantined: Sequence[str]
    watched_logs: Sequence[WatchedLog] = ()
    # Records that differ from the projection of their log.
    differing_records: int = 0


class Finding(NamedTuple):
    check: str
    description: str

    def __str__(self) -> str:
        return f"{self.check}: {self.description}"


def check(requests: Sequence[Request], observed: Observations) -> list[Finding]:
    """Return every violation; an empty list means that all invariants hold."""
    rules = (
        _nothing_acknowledged_is_lost,
        _nothing_is_stored_twice,
        _nothing_is_stored_that_was_not_sent,
        _every_request_was_answered,
        _records_equal_their_logs,
        _versions_have_no_gaps,
        _events_are_on_the_log_of_their_owner,
        _streams_showed_everything_once,
        _quarantined_events_are_stored,
        _acknowledgements_are_true,
    )
    return [finding for rule in rules for finding in rule(requests, observed)]


def _valid_ids(events: Iterable[SentEvent]) -> set[str]:
    return {event.message_id for event in events if event.is_valid}


def _acknowledged(requests: Sequence[Request]) -> Iterator[SentEvent]:
    return (event for request in requests if request.acknowledgements for event in request.events)


def _nothing_acknowledged_is_lost(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    lost = _valid_ids(_acknowledged(requests)) - {event.message_id for event in observed.events}
    if lost:
        yield Finding("C1", f"{len(lost)} acknowledged events are lost, such as {min(lost)}")


def _nothing_is_stored_twice(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    counts = Counter(event.message_id for event in observed.events)
    duplicates = [message_id for message_id, count in counts.items() if count > 1]
    if duplicates:
        yield Finding("C2", f"{len(duplicates)} events are stored twice, such as {min(duplicates)}")


def _nothing_is_stored_that_was_not_sent(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    sent = _valid_ids(event for request in requests if request.attempts for event in request.events)
    phantoms = {event.message_id for event in observed.events if not event.is_internal} - sent
    if phantoms:
        yield Finding("C3", f"{len(phantoms)} stored events were not sent: {min(phantoms)}")


def _every_request_was_answered(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    unknown = sum(request.attempts > 0 and request.is_unknown for request in requests)
    refused = sum(request.rejections > 0 for request in requests)
    if unknown:
        yield Finding("C4", f"{unknown} requests were never answered, although repeated")
    if refused:
        yield Finding("C4", f"{refused} valid requests were refused")


def _records_equal_their_logs(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    if observed.differing_records:
        yield Finding("C5", f"{observed.differing_records} records differ from their logs")


def _versions_have_no_gaps(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    logs: dict[str, list[int]] = defaultdict(list)
    for event in observed.events:
        logs[event.customer_id].append(event.version)
    for customer_id, customer_version in observed.customer_versions.items():
        versions = sorted(logs.pop(customer_id, []))
        if versions != list(range(1, customer_version + 1)):
            yield Finding(
                "C9",
                f"the log of {customer_id} has version {customer_version}, but contains "
                f"{_version_ranges(versions)}",
            )
    for customer_id in logs:
        yield Finding("C9", f"the log of {customer_id} has no record with a version")


def _events_are_on_the_log_of_their_owner(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    customers_by_owner: dict[str, set[str]] = defaultdict(set)
    owners_by_customer: dict[str, set[str]] = defaultdict(set)
    for event in observed.events:
        if event.owner:
            customers_by_owner[event.owner].add(event.customer_id)
            owners_by_customer[event.customer_id].add(event.owner)
    for customer_id, owners in owners_by_customer.items():
        if len(owners) > 1:
            yield Finding("C9", f"the log of {customer_id} has events of {sorted(owners)[:3]}")
    for owner, customer_ids in customers_by_owner.items():
        if len(customer_ids) > 1:
            yield Finding("C9", f"the events of {owner} are on {len(customer_ids)} logs")


def _streams_showed_everything_once(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    stored = {(event.customer_id, event.version): event for event in observed.events}
    for log in observed.watched_logs:
        versions = [shown.version for shown in log.events]
        customer_version = observed.customer_versions.get(log.customer_id, 0)
        if versions != list(range(log.start_version + 1, customer_version + 1)):
            yield Finding(
                "C9",
                f"a reader of {log.customer_id} received {_version_ranges(versions)} after "
                f"{log.start_version}, but the last version is {customer_version}",
            )
        for shown in log.events:
            event = stored.get((log.customer_id, shown.version))
            if event is None or event[2:4] != (shown.message_id, shown.owner):
                yield Finding("C9", f"a reader of {log.customer_id} received {shown}, not {event}")
                break


def _quarantined_events_are_stored(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    acknowledged = Counter(
        event.message_id for event in _acknowledged(requests) if not event.is_valid
    )
    sent = Counter(
        event.message_id
        for request in requests
        if request.attempts
        for event in request.events
        if not event.is_valid
    )
    quarantined = Counter(observed.quarantined)
    if missing := acknowledged - quarantined:
        yield Finding("C10", f"{missing.total()} events acknowledged as quarantined are missing")
    if surplus := quarantined - sent:
        yield Finding("C10", f"{surplus.total()} events in quarantine were not sent as invalid")


def _acknowledgements_are_true(
    requests: Sequence[Request], observed: Observations
) -> Iterator[Finding]:
    for request in requests:
        invalid_count = sum(not event.is_valid for event in request.events)
        for acknowledgement in request.acknowledgements:
            if acknowledgement.quarantined != invalid_count or sum(acknowledgement) != len(
                request.events
            ):
                yield Finding(
                    "C10",
                    f"for {len(request.events)} events, {invalid_count} of them invalid, "
                    f"a client received {acknowledgement}",
                )
                return


def _version_ranges(versions: Sequence[int]) -> str:
    """Return versions as ranges: 1-7 9-12."""
    ranges: list[list[int]] = []
    for previous, version in pairwise([None, *versions]):
        if previous is not None and version == previous + 1:
            ranges[-1][1] = version or 0
        else:
            ranges.append([version or 0, version or 0])
    texts = [f"{first}-{last}" if first != last else str(first) for first, last in ranges[:8]]
    return " ".join(texts) + (" …" if len(ranges) > 8 else "") or "nothing"
