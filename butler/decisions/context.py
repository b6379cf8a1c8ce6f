"""The context of one decision, which all checks read, and the gates that they return. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from butler.due.civil_time import find_zone, local_day
from butler.types import Contact, Facts, Gate, Rules, Use
from customers.consent.preferences import parse_value
from customers.consent.state import ANY, Setting, State


class ApplicableSetting(msgspec.Struct, frozen=True, gc=False):
    """A valid setting that applies to the act. For each name the most specific scope wins."""

    specificity: int
    value: object
    entry: str
    channel: str
    topic: str

    @property
    def scope(self) -> str:
        """Return the scope as "channel:topic"."""
        return f"{self.channel}:{self.topic}"


class UnknownZone(Exception):
    """The time zone of the customer, or one of the plausible time zones, is invalid."""


class DecisionContext[A: (Contact, Use)]:
    """One act, with all facts and rules for its decision."""

    __slots__ = (
        "_zones_and_dates",
        "act",
        "basis",
        "budget_windows",
        "consent_state",
        "facts",
        "now",
        "person_first",
        "rules",
        "settings",
    )

    def __init__(self, act: A, facts: Facts, rules: Rules, now: datetime) -> None:
        self.act: A = act
        self.facts = facts
        # May be None. The integrity checks deny then, before the other checks read it.
        self.consent_state: State = facts.consent_state  # type: ignore[assignment]  # see above
        self.rules = rules
        self.now = now
        # The settings that apply, by name; empty until preference.read_settings has run.
        self.settings: dict[str, list[ApplicableSetting]] = {}
        # The scope and window of each checked budget. An allowed message uses them.
        self.budget_windows: list[tuple[str, str]] = []
        # The gate that gave permission.
        self.basis: Gate | None = None
        # The gate that routes the act to a person instead.
        self.person_first: Gate | None = None
        self._zones_and_dates: tuple[list[ZoneInfo], list[date]] | None = None

    @property
    def is_zone_known(self) -> bool:
        """Return whether a setting or the profile contains the time zone."""
        return bool(self.settings.get("zone") or self.facts.zone)

    @property
    def zones_and_dates(self) -> tuple[list[ZoneInfo], list[date]]:
        """The time zone of the customer, or all plausible ones, and the dates there; never empty.

        Raises UnknownZone if there is no zone, or if one of them is invalid.
        """
        if self._zones_and_dates is None:
            zones = self._find_zones()
            self._zones_and_dates = zones, [local_day(self.now, zone) for zone in zones]
        return self._zones_and_dates

    def _find_zones(self) -> list[ZoneInfo]:
        names: Sequence[str] = [str(setting.value) for setting in self.settings.get("zone", ())]
        if not names:
            names = (self.facts.zone,) if self.facts.zone else self.rules.plausible_zones
        zones = [zone for name in names if (zone := find_zone(name))]
        # Without the invalid zone, a message could be sent in the quiet hours of that zone.
        if not zones or len(zones) < len(names):
            raise UnknownZone
        return zones


type Check[A: (Contact, Use)] = Callable[[DecisionContext[A]], Gate]


def applicable_settings(
    settings: tuple[Setting, ...], channel: str, topic: str
) -> dict[str, list[ApplicableSetting]]:
    """Return the most specific applicable settings by name; several if they are equally specific.

    Raises MalformedValue if one of the settings is invalid.
    """
    applicable: dict[str, list[ApplicableSetting]] = {}
    for setting in settings:
        value = parse_value(setting.name, setting.value, setting.channel, setting.topic)
        specificity = _specificity(setting, channel, topic)
        if specificity is None:
            continue
        candidate = ApplicableSetting(
            specificity, value, setting.entry, setting.channel, setting.topic
        )
        applicable[setting.name] = _most_specific(applicable.get(setting.name, []), candidate)
    return applicable


def _most_specific(
    settings: list[ApplicableSetting], candidate: ApplicableSetting
) -> list[ApplicableSetting]:
    """Return the most specific of equally specific settings of one name and a candidate."""
    if not settings or settings[0].specificity < candidate.specificity:
        return [candidate]
    if settings[0].specificity > candidate.specificity:
        return settings
    # Sorted, so that the order of the settings has no effect on the decision.
    return sorted([*settings, candidate], key=_by_entry)


def _specificity(setting: Setting, channel: str, topic: str) -> int | None:
    """Return the specificity of the scope, from 0 to 3; None if the setting does not apply."""
    specificity = 0
    if setting.channel != ANY:
        if setting.channel != channel:
            return None
        specificity = 2
    if setting.topic != ANY:
        if setting.topic != topic:
            return None
        specificity += 1
    return specificity


def _by_entry(setting: ApplicableSetting) -> tuple[str, str, str]:
    return setting.entry, setting.scope, repr(setting.value)


def pass_gate(gate: str, layer: str) -> Gate:
    """Return a gate that passes without a reason. All decisions can share one instance."""
    return Gate(gate=gate, layer=layer, verdict="pass", code="")


def deny(
    gate: str,
    layer: str,
    code: str,
    references: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    """Return a gate that denies the act, with the reason code."""
    return Gate(
        gate=gate,
        layer=layer,
        verdict="deny",
        code=code,
        references=references,
        inputs=inputs or {},
    )


def grant(
    context: DecisionContext[Contact] | DecisionContext[Use],
    code: str,
    references: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    """Return a gate that permits the act, and set it as the basis of the decision."""
    context.basis = gate = Gate(
        gate="basis",
        layer="basis",
        verdict="basis",
        code=code,
        references=references,
        inputs=inputs or {},
    )
    return gate


def defer(
    gate: str,
    layer: str,
    code: str,
    until: datetime,
    references: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    """Return a gate that defers the act until a time, with the reason code."""
    return Gate(
        gate=gate,
        layer=layer,
        verdict="defer",
        code=code,
        references=references,
        inputs=inputs or {},
        until=until,
    )
