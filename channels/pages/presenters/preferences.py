"""What a customer chose, as the page of preferences shows it. No database, no request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from butler.types import Address, Facts
from channels.pages import forms
from channels.pages.presenters import events
from channels.pages.presenters.decisions import anchor
from customers.consent.preferences import EVERY_DAY, PERIODS
from customers.consent.state import ANY, CHANNELS, MARKETING, Consent, Setting, State
from customers.queries.shapes import PurposeShape, TopicShape

# What each channel is called at the head of a column, and in a sentence.
SHORT = {
    "inbox": gettext_noop("Inbox"),
    "email": gettext_noop("E-mail"),
    "sms": gettext_noop("SMS"),
    "phone": gettext_noop("Call"),
}
# What somebody said of a purpose; the day comes behind it.
SAID = {
    "given": gettext_noop("You said yes."),
    "refused": gettext_noop("You said no."),
    "withdrawn": gettext_noop("You took your yes back."),
    "expired": gettext_noop("Your yes ran out, so it is a no."),
    "invalidated": gettext_noop("Your yes no longer counts, so it is a no."),
}
PERIOD_NAMES = {
    "day": gettext_noop("a day"),
    "week": gettext_noop("a week"),
    "month": gettext_noop("a month"),
}
PAUSE_NAMES = {
    1: gettext_noop("for a day"),
    7: gettext_noop("for a week"),
    30: gettext_noop("for a month"),
    90: gettext_noop("for three months"),
}
DAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)
# Why nothing goes to an address.
STOPPED = {
    "bounced": gettext_noop("does not take our messages"),
    "complained": gettext_noop("you marked a message as unwanted, so nothing goes there"),
    "stopped": gettext_noop(
        "you texted STOP, so nothing goes there, whatever is switched on here;"
        " text START from it, and it is open again"
    ),
}
# Where most guests live; any other zone can be typed.
ZONES = (
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/Brussels",
    "Europe/Copenhagen",
    "Europe/Dublin",
    "Europe/Helsinki",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Oslo",
    "Europe/Paris",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Warsaw",
    "Europe/Zurich",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One purpose, the words that ask for it, and the standing answer."""

    key: str
    # Where it is on the page.
    anchor: str
    name: str
    description: str
    notice: str
    digest: str
    language: str
    is_yes: bool
    is_unsaid: bool
    said: str
    at: datetime | None
    until: datetime | None
    # They said no: nobody brings it up before this, but they themselves.
    rests_until: datetime | None
    # Whose receipt can be fetched; empty: nothing was said.
    entry: str
    is_objected: bool
    is_use: bool
    # For what an order may need without asking: whether the customer lets it be.
    is_use_on: bool


@dataclass(frozen=True, slots=True)
class Switch:
    value: str
    label: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One topic, or everything, and a switch for each channel."""

    name: str
    is_all: bool
    switches: Sequence[Switch]


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """An address that we would use."""

    way: str
    value: str
    # Why nothing goes there, as a code and in words; empty: something may.
    closed: str
    stopped: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything on the page of preferences."""

    asked: Sequence[Asked]
    # Whether a yes of theirs counts.
    is_of_age: bool
    is_objecting: bool
    columns: Sequence[str]
    rows: Sequence[Row]
    # The switches that were on when the page was made.
    was: str
    order: Sequence[Sequence[Option]]
    is_ordered: bool
    most: int | None
    periods: Sequence[Option]
    quiet_from: str
    quiet_to: str
    has_quiet_hours: bool
    days: Sequence[Option]
    zone: str
    is_zone_said: bool
    zones: Sequence[str]
    paused_until: datetime | None
    pauses: Sequence[Option]
    language: str
    is_only_when_asked: bool
    is_person_first: bool
    reach: Sequence[Reach]


def choices(
    facts: Facts,
    state: State,
    purposes: Iterable[PurposeShape],
    topics: Iterable[TopicShape],
    now: datetime,
) -> Choices:
    """Word what holds at this moment."""
    chosen = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    budget, hours = _mapping(chosen.get("budget")), _mapping(chosen.get("quiet_hours"))
    most = budget.get("most")
    order = chosen.get("channel_order")
    rows = _rows(state.settings, topics)
    return Choices(
        asked=[
            _asked(one, state, now, is_of_age=facts.is_of_age is True)
            for one in purposes
            if one.is_offered or one.key in state.consents
        ],
        is_of_age=facts.is_of_age is True,
        is_objecting=MARKETING in state.objections,
        columns=[events.say(SHORT, channel) for channel in CHANNELS],
        rows=rows,
        was=" ".join(one.value for row in rows for one in row.switches if one.is_on),
        order=_order(order if isinstance(order, list) else []),
        is_ordered=bool(order),
        most=most if isinstance(most, int) else None,
        periods=[
            Option(per, events.say(PERIOD_NAMES, per), per == budget.get("per", "week"))
            for per in PERIODS
        ],
        quiet_from=str(hours.get("from", "22:00")),
        quiet_to=str(hours.get("to", "08:00")),
        has_quiet_hours=bool(hours),
        days=_days(hours.get("days", EVERY_DAY)),
        zone=str(chosen.get("zone") or facts.zone),
        is_zone_said="zone" in chosen,
        zones=ZONES,
        paused_until=_ahead(chosen.get("pause"), now),
        pauses=[Option(str(days), _(PAUSE_NAMES[days]), days == 7) for days in forms.PAUSES],
        language=str(chosen.get("language") or facts.language),
        is_only_when_asked=chosen.get("only_when_i_ask") is True,
        is_person_first=chosen.get("person_first") is True,
        reach=_reach(facts.addresses or {}),
    )


def stance(state: State, purpose: str, *, is_of_age: bool) -> bool:
    """Tell whether the customer said yes to a purpose so that it counts, and nothing against it."""
    known = state.consents.get(purpose)
    objected = purpose in state.objections or MARKETING in state.objections
    return known is not None and known.state == "given" and not objected and is_of_age


def _asked(purpose: PurposeShape, state: State, now: datetime, *, is_of_age: bool) -> Asked:
    known = state.consents.get(purpose.key) or _UNSAID
    is_yes = known.state == "given" and is_of_age
    use = [s for s in state.settings if s.name == "data_use" and s.topic == purpose.key]
    return Asked(
        key=purpose.key,
        anchor=anchor(f"consent:{purpose.key}"),
        name=purpose.name,
        description=purpose.description,
        notice=purpose.notice.text if purpose.notice else "",
        digest=purpose.notice.digest if purpose.notice else "",
        language=purpose.notice.language if purpose.notice else "",
        is_yes=is_yes,
        is_unsaid=not known.entry,
        said=_(SAID[known.state]) if known.entry else _("You were not asked yet, so it is a no."),
        at=known.occurred_at if known.entry else None,
        until=known.valid_until if is_yes else None,
        rests_until=known.reask_not_before if known.is_reask_paused(now) else None,
        entry=known.entry,
        # Who objects to all advertising objects to this, whatever they say to it here.
        is_objected=purpose.key in state.objections
        or (purpose.kind == "contact" and MARKETING in state.objections),
        is_use=purpose.kind == "use",
        is_use_on=all(one.value is not False for one in use),
    )


_UNSAID = Consent("refused", "", datetime.min)  # noqa: DTZ901  # stands for no answer, never shown


def _rows(settings: tuple[Setting, ...], topics: Iterable[TopicShape]) -> list[Row]:
    named = [(ANY, _("Everything")), *((topic.key, topic.name) for topic in topics)]
    return [Row(name, topic == ANY, _switches(settings, topic, name)) for topic, name in named]


def _switches(settings: tuple[Setting, ...], topic: str, name: str) -> list[Switch]:
    return [
        Switch(
            value=f"{channel}:{topic}",
            label=f"{name}, {events.say(SHORT, channel)}",
            is_on=forms.is_on(settings, channel, topic),
        )
        for channel in CHANNELS
    ]


def _order(wanted: Sequence[object]) -> list[list[Option]]:
    """Return for each place the channels that could be there."""
    places = [*wanted, *[""] * len(CHANNELS)][: len(CHANNELS)]
    return [
        [Option(one, events.say(SHORT, one), one == place) for one in CHANNELS] for place in places
    ]


def _days(chosen: object) -> list[Option]:
    on = chosen if isinstance(chosen, list | tuple) else EVERY_DAY
    return [Option(str(day), _(DAYS[day - 1]), day in on) for day in EVERY_DAY]


def _reach(addresses: Mapping[str, Address]) -> list[Reach]:
    return [
        Reach(
            events.say(SHORT, channel),
            one.value,
            one.suppressed,
            events.say(STOPPED, one.suppressed),
        )
        for channel, one in addresses.items()
    ]


def _ahead(value: object, now: datetime) -> datetime | None:
    if not isinstance(value, str):
        return None
    until = datetime.fromisoformat(value)
    return until if until > now else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
