"""Folds the entries of the ledger into the consent state of a customer. Pure.

Entries are folded in the order in which customers made the statements, not in which we received
them; at the same moment the stricter one holds. Where several records are one customer, each has
its own newest entry and the strictest of them holds, until the customer makes a new statement.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import permutations
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from customers.consent.strictness import Strictness, strictness

type ConsentState = Literal["given", "refused", "withdrawn", "expired", "invalidated"]

# The settings of a preference, and what their values are.
#   allow            bool                     scope: channel, topic
#   budget           {"most": int, "per": "day" | "week" | "month"}   scope: channel, topic
#   quiet_hours      {"from": "22:00", "to": "08:00", "days": [1..7] (ISO), all: absent}
#                                             scope: channel, topic
#   pause            ISO 8601 instant         scope: channel, topic
#   only_when_i_ask  bool                     scope: none
#   zone             IANA name                scope: none
#   language         "nl"                     scope: none
#   channel_order    ["inbox", "email", ...]  scope: none
#   person_first     bool                     scope: none
#   data_use         bool                     scope: topic holds the purpose
SETTINGS = (
    "allow",
    "budget",
    "quiet_hours",
    "pause",
    "only_when_i_ask",
    "zone",
    "language",
    "channel_order",
    "person_first",
    "data_use",
)


class Consent(msgspec.Struct, frozen=True):
    """The answer about one purpose that holds now, and the entry that states it."""

    state: ConsentState
    entry: str
    occurred_at: datetime
    # SHA-256 of the text that was shown, in hex; without it a consent is no basis.
    notice: str = ""
    valid_until: datetime | None = None
    # We do not ask again before this.
    reask_not_before: datetime | None = None

    def is_reask_paused(self, moment: datetime) -> bool:
        """Tell whether the customer must not be asked again at this moment, after a no."""
        until = self.reask_not_before
        return until is not None and self.occurred_at < moment < until


class Setting(msgspec.Struct, frozen=True):
    """One preference that holds; "*" is every channel, every topic."""

    name: str
    value: object
    entry: str
    channel: str = "*"
    topic: str = "*"


class State(msgspec.Struct, frozen=True):
    """Everything a customer said we may and may not do."""

    consents: dict[str, Consent] = {}
    # A purpose, or "marketing" for all direct marketing: the entry that objects.
    objections: dict[str, str] = {}
    settings: tuple[Setting, ...] = ()
    # The entry that restricts all use (Art. 18); empty: none does.
    restricted: str = ""


# Every channel, every topic.
ANY = "*"
# Ways to reach a customer, as far as preferences name them.
CHANNELS = ("inbox", "email", "sms", "phone")
# What an objection to all direct marketing is about.
MARKETING = "marketing"

# Settings that state facts: the newest value is the true one, not the strictest.
_NEWEST_WINS = frozenset({"zone", "language", "channel_order"})
# Settings of which several values hold side by side: no single value says what both say.
_CUMULATIVE = frozenset({"budget", "quiet_hours"})


def may_ask(state: State, purpose: str, now: datetime) -> bool:
    """Tell whether a customer may be asked for a purpose without having brought it up."""
    if {purpose, MARKETING} & state.objections.keys():
        return False
    consent = state.consents.get(purpose)
    return consent is None or not (consent.state == "given" or consent.is_reask_paused(now))


class StatementKey(NamedTuple):
    """What a statement is about; of two statements with the same key the later one holds.

    `family` is the first part of its kind: consent, objection, preference or signal.
    """

    family: str
    subject: str
    channel: str = ANY
    topic: str = ANY


class LedgerEntry(msgspec.Struct, frozen=True):
    """One entry of the ledger, as far as folding reads it."""

    record: UUID
    seq: int
    # The records for which it was said, and no others.
    speaks_for: tuple[UUID, ...]
    kind: str
    # A purpose for consents and objections, the name of a setting for preferences.
    subject: str
    occurred_at: datetime
    document: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["record_id"])

    @property
    def key(self) -> StatementKey:
        family = self.kind.partition(".")[0]
        document = self.document
        return StatementKey(family, self.subject, document["channel"], document["topic"])

    @property
    def strictness(self) -> Strictness:
        return strictness(self.kind, self.subject, self.document["value"])

    @property
    def order(self) -> tuple[datetime, Strictness, str]:
        return self.occurred_at, self.strictness, self.id


# Of one record: the entry that holds, by key.
type _NewestEntries = dict[StatementKey, LedgerEntry]


def fold(entries: Iterable[LedgerEntry], members: Collection[UUID]) -> State:
    """Return the state of the customer with these records, from all entries on them."""
    entries = list(entries)
    by_record = [_newest_entries(entries, member) for member in members]
    return State(
        consents=_consents(by_record),
        objections=_objections(by_record),
        settings=tuple(_settings(by_record)),
    )


def expired_consents(
    entries: Iterable[LedgerEntry], members: Iterable[UUID], now: datetime
) -> dict[tuple[str, datetime], list[UUID]]:
    """Return which consents expired: by purpose and end, the records that had given them."""
    entries = list(entries)
    records: dict[tuple[str, datetime], list[UUID]] = defaultdict(list)
    for member in sorted(members):
        for key, entry in _newest_entries(entries, member).items():
            end = _moment(entry.document["valid_until"])
            if entry.kind == "consent.given" and end and end <= now:
                records[key.subject, end].append(member)
    return dict(records)


def newest_entries(
    entries: Iterable[LedgerEntry], members: Iterable[UUID], key: StatementKey
) -> list[LedgerEntry]:
    """Return the entry with this key that holds for each of these records that has one."""
    entries = list(entries)
    by_record = [_newest_entries(entries, member) for member in members]
    return [by_key[key] for by_key in by_record if key in by_key]


def _newest_entries(entries: Iterable[LedgerEntry], member: UUID) -> _NewestEntries:
    """Return the entries that hold for one record, by key."""
    own_entries = [entry for entry in entries if member in entry.speaks_for]
    newest: _NewestEntries = {}
    for entry in sorted(own_entries, key=lambda entry: entry.order):
        before = newest.get(entry.key)
        # An import of a list of addresses cannot lift what a customer said to us.
        is_import = entry.document["source_channel"] == "import"
        if before is None or not is_import or entry.strictness >= before.strictness:
            newest[entry.key] = entry
    return newest


def _entries_by_subject(
    by_record: Iterable[_NewestEntries], family: str
) -> dict[str, list[LedgerEntry]]:
    """Return the entries of one family that hold for any of the records, by subject."""
    by_subject: dict[str, list[LedgerEntry]] = defaultdict(list)
    for by_key in by_record:
        for key, entry in by_key.items():
            if key.family == family:
                by_subject[key.subject].append(entry)
    return dict(sorted(by_subject.items()))


def _consents(by_record: Iterable[_NewestEntries]) -> dict[str, Consent]:
    by_purpose = _entries_by_subject(by_record, "consent")
    return {purpose: _strictest_consent(entries) for purpose, entries in by_purpose.items()}


def _strictest_consent(entries: Iterable[LedgerEntry]) -> Consent:
    def weight(entry: LedgerEntry) -> tuple[Strictness, float, tuple[object, ...]]:
        end = _moment(entry.document["valid_until"])
        return entry.strictness, -end.timestamp() if end else float("-inf"), entry.order

    entries = list(entries)
    strictest = max(entries, key=weight)
    pauses = [pause for entry in entries if (pause := _moment(entry.document["reask_not_before"]))]
    notice = strictest.document["privacy_notice"] or {}
    return Consent(
        state=strictest.kind.partition(".")[2],  # type: ignore[arg-type]  # a kind of consent
        entry=strictest.id,
        occurred_at=strictest.occurred_at,
        notice=notice.get("sha256", ""),
        valid_until=_moment(strictest.document["valid_until"]),
        reask_not_before=max(pauses, default=None),
    )


def _objections(by_record: Iterable[_NewestEntries]) -> dict[str, str]:
    objections = {
        subject: [entry for entry in entries if entry.kind == "objection.made"]
        for subject, entries in _entries_by_subject(by_record, "objection").items()
    }
    return {
        subject: max(entries, key=lambda entry: entry.order).id
        for subject, entries in objections.items()
        if entries
    }


def _settings(by_record: Iterable[_NewestEntries]) -> Iterator[Setting]:
    """Yield the settings that hold: at every scope, the entries of all records combined.

    A record's setting for all channels must not lose to the setting for a single channel of
    another record, which does not know the first.
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


def _crossing_keys(preferences: Sequence[_NewestEntries]) -> set[StatementKey]:
    """Return where one record's setting for a channel meets another one's for a topic.

    There each record has one setting of its own; their settings elsewhere are not about both.
    """
    return {
        own_key._replace(topic=other_key.topic)
        for own, other in permutations(preferences, 2)
        for own_key in own
        for other_key in other
        if own_key.subject == other_key.subject and own_key.channel != ANY == own_key.topic
        if other_key.topic != ANY == other_key.channel
    }


def _covering_entries(by_key: _NewestEntries, scope: StatementKey) -> list[LedgerEntry]:
    """Return the most specific of one record's entries that hold for a scope."""
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


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class ConsentFilter(NamedTuple):
    """The columns by which a query filters very many customers at once.

    It may let through what a decision then denies, and never the other way round: it names only
    what is off whatever else holds.
    """

    granted: list[str]
    objected: list[str]
    channels_off: list[str]
    topics_off: list[str]
    paused_until: datetime | None
    only_when_i_ask: bool
    expires_at: datetime | None


def consent_filter(state: State) -> ConsentFilter:
    """Return the parts of a state that many customers at once are filtered by."""
    allowed = {(s.channel, s.topic): s.value for s in state.settings if s.name == "allow"}
    everywhere = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    granted = {
        purpose: consent for purpose, consent in state.consents.items() if consent.state == "given"
    }
    # A pause of one channel, even one that is over, counts there instead of that of all.
    is_paused = all(s.topic == s.channel == ANY for s in state.settings if s.name == "pause")
    pause = everywhere.get("pause") if is_paused else None
    return ConsentFilter(
        granted=sorted(granted),
        objected=sorted(state.objections),
        channels_off=_off(allowed),
        topics_off=_topics_off(allowed),
        paused_until=_moment(pause) if isinstance(pause, str) else None,
        only_when_i_ask=everywhere.get("only_when_i_ask") is True,
        expires_at=min(
            (consent.valid_until for consent in granted.values() if consent.valid_until),
            default=None,
        ),
    )


def _topics_off(allowed: Mapping[tuple[str, str], object]) -> list[str]:
    # A channel that is on is more specific than a topic that is off.
    if any(value for (channel, topic), value in allowed.items() if channel != ANY == topic):
        return []
    return _off({(topic, channel): on for (channel, topic), on in allowed.items()})


def _off(allowed: Mapping[tuple[str, str], object]) -> list[str]:
    """Return the channels, or the topics, that are off with nothing more specific on."""
    on = {first for (first, second), value in allowed.items() if value and second != ANY}
    off = {first for (first, second), value in allowed.items() if not value and second == ANY}
    if ANY in off and True in allowed.values():
        off.remove(ANY)
    return sorted(off - on)
