"""Folds the entries of the ledger into the consent state of a customer. Pure.

If several records are merged into one customer, each record has its own newest entry. The strictest
of these entries holds until the customer makes a new statement.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import permutations
from uuid import UUID

import msgspec

from customers.consent.ledger_entries import (
    LedgerEntry,
    NewestEntries,
    StatementKey,
    newest_by_key,
    parse_moment,
)
from customers.consent.state import ANY, Consent, Setting, State
from customers.consent.strictness import Strictness

# Settings that state facts. The newest value holds, not the strictest.
_NEWEST_WINS = frozenset({"zone", "language", "channel_order"})
# Settings of which several values hold at the same time, because one value cannot express both.
_CUMULATIVE = frozenset({"budget", "quiet_hours"})


def fold(entries: Iterable[LedgerEntry], record_ids: Collection[UUID]) -> State:
    """Return the consent state of the customer with these records, from all of their entries."""
    entries = list(entries)
    by_record = [newest_by_key(entries, record_id) for record_id in record_ids]
    return State(
        consents=_consents(by_record),
        objections=_objections(by_record),
        settings=tuple(_settings(by_record)),
    )


def _entries_by_subject(
    by_record: Iterable[NewestEntries], family: str
) -> dict[str, list[LedgerEntry]]:
    """Return the entries of one family that hold for any of the records, by subject."""
    by_subject: dict[str, list[LedgerEntry]] = defaultdict(list)
    for by_key in by_record:
        for key, entry in by_key.items():
            if key.family == family:
                by_subject[key.subject].append(entry)
    return dict(sorted(by_subject.items()))


def _consents(by_record: Iterable[NewestEntries]) -> dict[str, Consent]:
    by_purpose = _entries_by_subject(by_record, "consent")
    return {purpose: _strictest_consent(entries) for purpose, entries in by_purpose.items()}


def _strictest_consent(entries: Iterable[LedgerEntry]) -> Consent:
    def weight(entry: LedgerEntry) -> tuple[Strictness, float, tuple[object, ...]]:
        """Return the sort key: strictness first, then the earlier end of validity, then the order.

        An entry without an end has less weight than an entry with an end.
        """
        end = parse_moment(entry.document["valid_until"])
        return entry.strictness, -end.timestamp() if end else float("-inf"), entry.order

    entries = list(entries)
    strictest = max(entries, key=weight)
    pauses = [
        pause for entry in entries if (pause := parse_moment(entry.document["reask_not_before"]))
    ]
    notice = strictest.document["privacy_notice"] or {}
    return Consent(
        state=strictest.kind.partition(".")[2],  # type: ignore[arg-type]  # a kind of consent
        entry=strictest.id,
        occurred_at=strictest.occurred_at,
        notice=notice.get("sha256", ""),
        valid_until=parse_moment(strictest.document["valid_until"]),
        reask_not_before=max(pauses, default=None),
    )


def _objections(by_record: Iterable[NewestEntries]) -> dict[str, str]:
    objections = {
        subject: [entry for entry in entries if entry.kind == "objection.made"]
        for subject, entries in _entries_by_subject(by_record, "objection").items()
    }
    return {
        subject: max(entries, key=lambda entry: entry.order).id
        for subject, entries in objections.items()
        if entries
    }


def _settings(by_record: Iterable[NewestEntries]) -> Iterator[Setting]:
    """Yield the settings that hold: for each scope, the combined entries of all records.

    The setting of one record for all channels must not lose to the setting of another record for
    a single channel, because the customer made these settings on separate records.
    """
    preferences = [
        {key: entry for key, entry in by_key.items() if entry.kind == "preference.set"}
        for by_key in by_record
    ]
    keys = {key for by_key in preferences for key in by_key}
    for scope in sorted(keys | _crossing_keys(preferences)):
        covering = [entry for by_key in preferences for entry in _covering_entries(by_key, scope)]
        for entry in _combined_entries(scope.subject, covering):
            value = entry.document["value"]
            yield Setting(scope.subject, value, entry.id, scope.channel, scope.topic)


def _crossing_keys(preferences: Sequence[NewestEntries]) -> set[StatementKey]:
    """Return the scopes (one channel and one topic) in which settings of two records both hold.

    One record has a setting for the channel, the other record has a setting for the topic.
    """
    return {
        own_key._replace(topic=other_key.topic)
        for own, other in permutations(preferences, 2)
        for own_key in own
        for other_key in other
        if own_key.subject == other_key.subject and own_key.channel != ANY == own_key.topic
        if other_key.topic != ANY == other_key.channel
    }


def _covering_entries(by_key: NewestEntries, scope: StatementKey) -> list[LedgerEntry]:
    """Return the most specific entries of one record that hold for a scope."""
    channels, topics = {scope.channel, ANY}, {scope.topic, ANY}
    by_detail: dict[int, list[LedgerEntry]] = defaultdict(list)
    for key, entry in by_key.items():
        if key.subject == scope.subject and key.channel in channels and key.topic in topics:
            by_detail[(key.channel != ANY) + (key.topic != ANY)].append(entry)
    return by_detail[max(by_detail)] if by_detail else []


def _combined_entries(name: str, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    if name in _CUMULATIVE:
        by_value = {
            msgspec.json.encode(entry.document["value"], order="sorted"): entry
            for entry in sorted(entries, key=lambda entry: entry.order)
        }
        return [by_value[value] for value in sorted(by_value)]
    if name in _NEWEST_WINS:
        return [max(entries, key=lambda entry: entry.order)]
    return [max(entries, key=lambda entry: (entry.strictness, entry.order))]
