"""The page of preferences: consent questions, settings and addresses. No database, no request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from butler.types import Address, Facts
from channels.pages import forms
from channels.pages.presenters.decisions import anchor
from channels.pages.presenters.labels import CHANNEL_NAMES, PERIOD_NAMES, WEEKDAYS, translated
from customers.consent.preferences import EVERY_DAY, PERIODS
from customers.consent.state import ANY, CHANNELS, MARKETING, Consent, Setting, State
from customers.queries.shapes import PurposeShape, TopicShape

# The customer's answer to a consent question; its date follows.
CONSENT_STATES = {
    "given": gettext_noop("You said yes."),
    "refused": gettext_noop("You said no."),
    "withdrawn": gettext_noop("You took your yes back."),
    "expired": gettext_noop("Your yes ran out, so it is a no."),
    "invalidated": gettext_noop("Your yes no longer counts, so it is a no."),
}
PAUSE_NAMES = {
    1: gettext_noop("for a day"),
    7: gettext_noop("for a week"),
    30: gettext_noop("for a month"),
    90: gettext_noop("for three months"),
}
# Why nothing is sent to an address.
SUPPRESSIONS = {
    "bounced": gettext_noop("does not take our messages"),
    "complained": gettext_noop("you marked a message as unwanted, so nothing goes there"),
    "stopped": gettext_noop(
        "you texted STOP, so nothing goes there, whatever is switched on here;"
        " text START from it, and it is open again"
    ),
}
# Suggestions; any other zone can be typed.
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
class ConsentQuestion:
    """One purpose, the notice that asks for consent to it, and the current answer."""

    key: str
    # The id of its place on the page.
    anchor: str
    name: str
    description: str
    notice: str
    digest: str
    language: str
    is_yes: bool
    is_unanswered: bool
    answer: str
    answered_at: datetime | None
    valid_until: datetime | None
    # After a no: staff do not ask again before this, unless the customer brings it up.
    reask_not_before: datetime | None
    # The ledger entry whose receipt can be fetched; empty if there is no answer.
    entry_id: str
    is_objected: bool
    is_data_use: bool
    # For a use of data that an order may need without consent: whether the customer allows it.
    is_data_use_allowed: bool


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
    """An address of the customer, and whether we send to it."""

    channel: str
    value: str
    # Why nothing is sent there, as a code and as a text; empty: it can be used.
    suppression: str
    suppression_text: str


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """Everything on the page of preferences."""

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
    """Present the preferences that hold now."""
    values = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    budget, hours = _mapping(values.get("budget")), _mapping(values.get("quiet_hours"))
    limit = budget.get("most")
    order = values.get("channel_order")
    rows = _topic_rows(state.settings, topics)
    return PreferencesPage(
        questions=[
            _question(purpose, state, now, is_of_age=facts.is_of_age is True)
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
        pauses=[SelectOption(str(days), _(PAUSE_NAMES[days]), days == 7) for days in forms.PAUSES],
        language=str(values.get("language") or facts.language),
        is_only_when_asked=values.get("only_when_i_ask") is True,
        is_person_first=values.get("person_first") is True,
        addresses=_addresses(facts.addresses or {}),
    )


def _question(
    purpose: PurposeShape, state: State, now: datetime, *, is_of_age: bool
) -> ConsentQuestion:
    consent = state.consents.get(purpose.key) or _NO_ANSWER
    is_yes = consent.state == "given" and is_of_age
    is_answered = bool(consent.entry)
    uses = [s for s in state.settings if s.name == "data_use" and s.topic == purpose.key]
    return ConsentQuestion(
        key=purpose.key,
        anchor=anchor(f"consent:{purpose.key}"),
        name=purpose.name,
        description=purpose.description,
        notice=purpose.notice.text if purpose.notice else "",
        digest=purpose.notice.digest if purpose.notice else "",
        language=purpose.notice.language if purpose.notice else "",
        is_yes=is_yes,
        is_unanswered=not is_answered,
        answer=_(CONSENT_STATES[consent.state])
        if is_answered
        else _("You were not asked yet, so it is a no."),
        answered_at=consent.occurred_at if is_answered else None,
        valid_until=consent.valid_until if is_yes else None,
        reask_not_before=consent.reask_not_before if consent.is_reask_paused(now) else None,
        entry_id=consent.entry,
        # An objection to all advertising overrides any answer here.
        is_objected=purpose.key in state.objections
        or (purpose.kind == "contact" and MARKETING in state.objections),
        is_data_use=purpose.kind == "use",
        is_data_use_allowed=all(use.value is not False for use in uses),
    )


_NO_ANSWER = Consent("refused", "", datetime.min)  # noqa: DTZ901  # stands for no answer, never shown


def _topic_rows(settings: tuple[Setting, ...], topics: Iterable[TopicShape]) -> list[TopicRow]:
    names = [(ANY, _("Everything")), *((topic.key, topic.name) for topic in topics)]
    return [TopicRow(name, topic == ANY, _switches(settings, topic, name)) for topic, name in names]


def _switches(settings: tuple[Setting, ...], topic: str, name: str) -> list[ChannelSwitch]:
    return [
        ChannelSwitch(
            value=f"{channel}:{topic}",
            label=f"{name}, {translated(CHANNEL_NAMES, channel)}",
            is_on=forms.is_on(settings, channel, topic),
        )
        for channel in CHANNELS
    ]


def _channel_ranks(order: Sequence[object]) -> list[list[SelectOption]]:
    """Return for each rank the channels to choose from."""
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
