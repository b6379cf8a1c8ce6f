"""What a customer said we may do, folded from the ledger. Pure.

A chain is read in the order of what happened, not of when we heard; at the same moment the
stricter word stands. Where several records are one customer, each keeps its own last word and
the strictest of them holds, until the customer says something new.
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
    """The standing answer about one purpose, and the entry that says so."""

    state: ConsentState
    entry: str
    occurred_at: datetime
    # SHA-256 of the words that were shown, in hex; without it a consent is no basis.
    notice: str = ""
    valid_until: datetime | None = None
    # We do not ask again before this.
    reask_not_before: datetime | None = None

    def rests(self, moment: datetime) -> bool:
        """Tell whether the question rests at this moment, because of a no that is on it."""
        until = self.reask_not_before
        return until is not None and self.occurred_at < moment < until


class Setting(msgspec.Struct, frozen=True):
    """One preference as it stands; "*" is every channel, every topic."""

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

# Facts more than wishes: the newest is the true one, not the strictest.
_NEWEST = frozenset({"zone", "language", "channel_order"})
# Two of these hold side by side: no value says what both say.
_SIDE_BY_SIDE = frozenset({"budget", "quiet_hours"})


def may_ask(state: State, purpose: str, now: datetime) -> bool:
    """Tell whether a customer may be asked for a purpose without having brought it up."""
    if {purpose, MARKETING} & state.objections.keys():
        return False
    said = state.consents.get(purpose)
    return said is None or not (said.state == "given" or said.rests(now))


class Matter(NamedTuple):
    """What a word is on; of two words on the same matter the later one stands."""

    of: str
    subject: str
    channel: str = ANY
    topic: str = ANY


class Entry(msgspec.Struct, frozen=True):
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
    def matter(self) -> Matter:
        of = self.kind.partition(".")[0]
        return Matter(of, self.subject, self.document["channel"], self.document["topic"])

    @property
    def strictness(self) -> Strictness:
        return strictness(self.kind, self.subject, self.document["value"])

    @property
    def order(self) -> tuple[datetime, Strictness, str]:
        return self.occurred_at, self.strictness, self.id


type _Words = dict[Matter, Entry]


def fold(entries: Iterable[Entry], members: Collection[UUID]) -> State:
    """Return what holds for a customer, whose records these are, from all entries on them."""
    entries = list(entries)
    words = [_last_words(entries, member) for member in members]
    return State(
        consents=_consents(words),
        objections=_objections(words),
        settings=tuple(_settings(words)),
    )


def lapsed(
    entries: Iterable[Entry], members: Iterable[UUID], now: datetime
) -> dict[tuple[str, datetime], list[UUID]]:
    """Return which consents ran out: purpose and end, and the records they ran out for."""
    entries = list(entries)
    found: dict[tuple[str, datetime], list[UUID]] = defaultdict(list)
    for member in sorted(members):
        for matter, entry in _last_words(entries, member).items():
            end = _moment(entry.document["valid_until"])
            if entry.kind == "consent.given" and end and end <= now:
                found[matter.subject, end].append(member)
    return dict(found)


def last_words(entries: Iterable[Entry], members: Iterable[UUID], matter: Matter) -> list[Entry]:
    """Return what each of these records last said on one matter, where it said anything."""
    entries = list(entries)
    words = [_last_words(entries, member) for member in members]
    return [one[matter] for one in words if matter in one]


def _last_words(entries: Iterable[Entry], member: UUID) -> _Words:
    """Return what one record last said on each matter."""
    said = sorted((e for e in entries if member in e.speaks_for), key=lambda entry: entry.order)
    words: _Words = {}
    for entry in said:
        before = words.get(entry.matter)
        # Whoever copies a list of addresses cannot lift what a customer said to us.
        is_import = entry.document["source_channel"] == "import"
        if before is None or not is_import or entry.strictness >= before.strictness:
            words[entry.matter] = entry
    return words


def _on(words: Iterable[_Words], of: str) -> dict[str, list[Entry]]:
    """Return the last words of all records on this, by subject."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for one in words:
        for matter, entry in one.items():
            if matter.of == of:
                found[matter.subject].append(entry)
    return dict(sorted(found.items()))


def _consents(words: Iterable[_Words]) -> dict[str, Consent]:
    return {purpose: _strictest_consent(said) for purpose, said in _on(words, "consent").items()}


def _strictest_consent(said: Iterable[Entry]) -> Consent:
    def weight(entry: Entry) -> tuple[Strictness, float, tuple[object, ...]]:
        end = _moment(entry.document["valid_until"])
        return entry.strictness, -end.timestamp() if end else float("-inf"), entry.order

    said = list(said)
    strictest = max(said, key=weight)
    pauses = [pause for one in said if (pause := _moment(one.document["reask_not_before"]))]
    notice = strictest.document["privacy_notice"] or {}
    return Consent(
        state=strictest.kind.partition(".")[2],  # type: ignore[arg-type]  # the ledger's own words
        entry=strictest.id,
        occurred_at=strictest.occurred_at,
        notice=notice.get("sha256", ""),
        valid_until=_moment(strictest.document["valid_until"]),
        reask_not_before=max(pauses, default=None),
    )


def _objections(words: Iterable[_Words]) -> dict[str, str]:
    made = {
        subject: [entry for entry in said if entry.kind == "objection.made"]
        for subject, said in _on(words, "objection").items()
    }
    return {
        subject: max(said, key=lambda entry: entry.order).id
        for subject, said in made.items()
        if said
    }


def _settings(words: Iterable[_Words]) -> Iterator[Setting]:
    """Yield the settings that hold: at every scope, what each record says of it, combined.

    What one record says of all channels must not lose to what another one, that knew nothing
    of it, says of a single channel.
    """
    said = [
        {matter: entry for matter, entry in one.items() if entry.kind == "preference.set"}
        for one in words
    ]
    for scope in sorted({matter for one in said for matter in one} | _crossings(said)):
        found = [entry for one in said for entry in _covering(one, scope)]
        for entry in _combined(scope.subject, found):
            value = entry.document["value"]
            yield Setting(scope.subject, value, entry.id, scope.channel, scope.topic)


def _crossings(said: Sequence[_Words]) -> set[Matter]:
    """Return where one record's word on a channel meets another one's on a topic.

    There each record has one word of its own; what they say elsewhere is not about both.
    """
    return {
        one._replace(topic=other.topic)
        for mine, theirs in permutations(said, 2)
        for one in mine
        for other in theirs
        if one.subject == other.subject and one.channel != ANY == one.topic
        if other.topic != ANY == other.channel
    }


def _covering(said: _Words, scope: Matter) -> list[Entry]:
    """Return the most specific of one record's words that hold for a scope."""
    channels, topics = {scope.channel, ANY}, {scope.topic, ANY}
    by_detail: dict[int, list[Entry]] = defaultdict(list)
    for matter, entry in said.items():
        if (
            matter.subject == scope.subject
            and matter.channel in channels
            and matter.topic in topics
        ):
            by_detail[(matter.channel != ANY) + (matter.topic != ANY)].append(entry)
    return by_detail[max(by_detail)] if by_detail else []


def _combined(name: str, said: Sequence[Entry]) -> list[Entry]:
    if name in _SIDE_BY_SIDE:
        said = sorted(said, key=lambda entry: entry.order)
        by_value = {msgspec.json.encode(e.document["value"], order="sorted"): e for e in said}
        return [by_value[value] for value in sorted(by_value)]
    if name in _NEWEST:
        return [max(said, key=lambda entry: entry.order)]
    return [max(said, key=lambda entry: (entry.strictness, entry.order))]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Filter(NamedTuple):
    """What a statement about very many customers filters by.

    It may let through what a decision then denies, and never the other way round: only what is
    off whatever else holds is named here.
    """

    granted: list[str]
    objected: list[str]
    channels_off: list[str]
    topics_off: list[str]
    paused_until: datetime | None
    only_when_i_ask: bool
    expires_at: datetime | None


def filter_of(state: State) -> Filter:
    """Return the parts of a state that many customers at once are filtered by."""
    allowed = {(s.channel, s.topic): s.value for s in state.settings if s.name == "allow"}
    everywhere = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    given = {purpose: one for purpose, one in state.consents.items() if one.state == "given"}
    # A pause of one channel, even one that is over, counts there instead of that of all.
    is_paused = all(s.topic == s.channel == ANY for s in state.settings if s.name == "pause")
    pause = everywhere.get("pause") if is_paused else None
    return Filter(
        granted=sorted(given),
        objected=sorted(state.objections),
        channels_off=_off(allowed),
        topics_off=_topics_off(allowed),
        paused_until=_moment(pause) if isinstance(pause, str) else None,
        only_when_i_ask=everywhere.get("only_when_i_ask") is True,
        expires_at=min(
            (one.valid_until for one in given.values() if one.valid_until), default=None
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
