"""The Preferences page: consent questions, settings and addresses. No database, no request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from butler.decisions.context import applicable_settings
from butler.types import Address, Facts
from channels.pages.presenters.consent_questions import ConsentQuestion, consent_question
from channels.pages.presenters.labels import CHANNEL_NAMES, PERIOD_NAMES, WEEKDAYS, translated
from channels.pages.setting_forms import PAUSES
from customers.consent.preferences import EVERY_DAY, PERIODS
from customers.consent.state import ANY, CHANNELS, MARKETING, Setting, State
from customers.queries.consent_shapes import PurposeShape, TopicShape

PAUSE_NAMES = {
    1: gettext_noop("for a day"),
    7: gettext_noop("for a week"),
    30: gettext_noop("for a month"),
    90: gettext_noop("for three months"),
}
# The reasons why Butler sends no messages to an address.
SUPPRESSIONS = {
    "bounced": gettext_noop("does not accept our messages"),
    "complained": gettext_noop("you marked a message as unwanted, so we send no messages to it"),
    "stopped": gettext_noop(
        "you texted STOP, so we send no messages to it, even if a switch here is on;"
        " to allow messages again, text START from it"
    ),
}
# Suggestions. The customer can also type another zone.
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
class ChannelSwitch:
    value: str
    label: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic, or all topics, with a switch for each channel."""

    name: str
    is_all: bool
    switches: Sequence[ChannelSwitch]


@dataclass(frozen=True, slots=True)
class SelectOption:
    value: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class AddressStatus:
    """An address of the customer, with the reason if Butler sends no messages to it."""

    channel: str
    value: str
    # The reason for the suppression as a code and as a text; empty for a usable address.
    suppression: str
    suppression_text: str


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """All values on the Preferences page."""

    questions: Sequence[ConsentQuestion]
    # Whether the customer is old enough to consent.
    is_of_age: bool
    is_objecting: bool
    columns: Sequence[str]
    rows: Sequence[TopicRow]
    # The switches that were on when the page was rendered.
    switched_on: str
    channel_ranks: Sequence[Sequence[SelectOption]]
    has_channel_order: bool
    message_limit: int | None
    periods: Sequence[SelectOption]
    quiet_from: str
    quiet_to: str
    has_quiet_hours: bool
    days: Sequence[SelectOption]
    zone: str
    has_zone: bool
    zones: Sequence[str]
    paused_until: datetime | None
    pauses: Sequence[SelectOption]
    language: str
    is_only_when_asked: bool
    is_person_first: bool
    addresses: Sequence[AddressStatus]


def preferences_page(
    facts: Facts,
    state: State,
    purposes: Iterable[PurposeShape],
    topics: Iterable[TopicShape],
    now: datetime,
) -> PreferencesPage:
    """Return the current preferences for the page."""
    values = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    budget, hours = _mapping(values.get("budget")), _mapping(values.get("quiet_hours"))
    limit = budget.get("most")
    order = values.get("channel_order")
    rows = _topic_rows(state.settings, topics)
    return PreferencesPage(
        questions=[
            consent_question(purpose, state, now, is_of_age=facts.is_of_age is True)
            for purpose in purposes
            if purpose.is_offered or purpose.key in state.consents
        ],
        is_of_age=facts.is_of_age is True,
        is_objecting=MARKETING in state.objections,
        columns=[translated(CHANNEL_NAMES, channel) for channel in CHANNELS],
        rows=rows,
        switched_on=" ".join(
            switch.value for row in rows for switch in row.switches if switch.is_on
        ),
        channel_ranks=_channel_ranks(order if isinstance(order, list) else []),
        has_channel_order=bool(order),
        message_limit=limit if isinstance(limit, int) else None,
        periods=_periods(budget.get("per", "week")),
        quiet_from=str(hours.get("from", "22:00")),
        quiet_to=str(hours.get("to", "08:00")),
        has_quiet_hours=bool(hours),
        days=_days(hours.get("days", EVERY_DAY)),
        zone=str(values.get("zone") or facts.zone),
        has_zone="zone" in values,
        zones=ZONES,
        paused_until=_future_time(values.get("pause"), now),
        pauses=[SelectOption(str(days), _(PAUSE_NAMES[days]), days == 7) for days in PAUSES],
        language=str(values.get("language") or facts.language),
        is_only_when_asked=values.get("only_when_i_ask") is True,
        is_person_first=values.get("person_first") is True,
        addresses=_addresses(facts.addresses or {}),
    )


def is_on(settings: tuple[Setting, ...], channel: str, topic: str) -> bool:
    """Return whether a channel is on for a topic, by the same rule as decisions."""
    wishes = applicable_settings(settings, channel, topic).get("allow", ())
    return all(wish.value is not False for wish in wishes)


def _topic_rows(settings: tuple[Setting, ...], topics: Iterable[TopicShape]) -> list[TopicRow]:
    names = [(ANY, _("Everything")), *((topic.key, topic.name) for topic in topics)]
    return [TopicRow(name, topic == ANY, _switches(settings, topic, name)) for topic, name in names]


def _switches(settings: tuple[Setting, ...], topic: str, name: str) -> list[ChannelSwitch]:
    return [
        ChannelSwitch(
            value=f"{channel}:{topic}",
            label=f"{name}, {translated(CHANNEL_NAMES, channel)}",
            is_on=is_on(settings, channel, topic),
        )
        for channel in CHANNELS
    ]


def _channel_ranks(order: Sequence[object]) -> list[list[SelectOption]]:
    """Return the options of each rank: the channels to choose from."""
    ranks = [*order, *[""] * len(CHANNELS)][: len(CHANNELS)]
    return [
        [
            SelectOption(channel, translated(CHANNEL_NAMES, channel), channel == chosen)
            for channel in CHANNELS
        ]
        for chosen in ranks
    ]


def _periods(chosen: object) -> list[SelectOption]:
    return [
        SelectOption(period, translated(PERIOD_NAMES, period), period == chosen)
        for period in PERIODS
    ]


def _days(chosen: object) -> list[SelectOption]:
    days = chosen if isinstance(chosen, list | tuple) else EVERY_DAY
    return [SelectOption(str(day), _(WEEKDAYS[day - 1]), day in days) for day in EVERY_DAY]


def _addresses(addresses: Mapping[str, Address]) -> list[AddressStatus]:
    return [
        AddressStatus(
            channel=translated(CHANNEL_NAMES, channel),
            value=address.value,
            suppression=address.suppressed,
            suppression_text=translated(SUPPRESSIONS, address.suppressed),
        )
        for channel, address in addresses.items()
    ]


def _future_time(value: object, now: datetime) -> datetime | None:
    if not isinstance(value, str):
        return None
    until = datetime.fromisoformat(value)
    return until if until > now else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
