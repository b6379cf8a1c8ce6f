"""What one decision is about, and how its questions are answered. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from butler.due.civil_time import find_zone, local_day
from butler.types import Contact, Facts, Gate, Rules, Use
from customers.consent.preferences import parse_value
from customers.consent.state import ANY, Setting, State


class Wish(msgspec.Struct, frozen=True, gc=False):
    """A setting that is understood; the most specific scope wins."""

    specificity: int
    value: object
    entry: str
    channel: str
    topic: str

    @property
    def scope(self) -> str:
        return f"{self.channel}:{self.topic}"


class UnknownZone(Exception):
    """Neither the customer's zone nor the plausible ones can be told."""


class Case[A: (Contact, Use)]:
    """One act, and everything that is known when it is judged."""

    __slots__ = (
        "_clocks",
        "act",
        "basis",
        "control",
        "facts",
        "now",
        "person_first",
        "rules",
        "takes",
        "wishes",
    )

    def __init__(self, act: A, facts: Facts, rules: Rules, now: datetime) -> None:
        self.act: A = act
        self.facts = facts
        # Asked for after integrity only, which denies where it is missing.
        self.control: State = facts.control  # type: ignore[assignment]  # see above
        self.rules = rules
        self.now = now
        # By the name of the setting: those that win, once the settings have been read.
        self.wishes: dict[str, list[Wish]] = {}
        # The budgets that were asked, and that the act uses up if it is allowed.
        self.takes: list[tuple[str, str]] = []
        # The gate that gave permission.
        self.basis: Gate | None = None
        # The gate that hands it to a person instead.
        self.person_first: Gate | None = None
        self._clocks: tuple[list[ZoneInfo], list[date]] | None = None

    @property
    def is_zone_known(self) -> bool:
        return bool(self.wishes.get("zone") or self.facts.zone)

    @property
    def clocks(self) -> tuple[list[ZoneInfo], list[date]]:
        """Where the customer is, or everywhere they could be, and the dates there; never empty.

        Raises UnknownZone where that cannot be told.
        """
        if self._clocks is None:
            zones = self._find_zones()
            self._clocks = zones, [local_day(self.now, zone) for zone in zones]
        return self._clocks

    def _find_zones(self) -> list[ZoneInfo]:
        names: Sequence[str] = [str(wish.value) for wish in self.wishes.get("zone", ())]
        if not names:
            names = (self.facts.zone,) if self.facts.zone else self.rules.plausible_zones
        zones = [zone for name in names if (zone := find_zone(name))]
        # Were one of them passed over, a message could be unwelcome exactly there.
        if not zones or len(zones) < len(names):
            raise UnknownZone
        return zones


type Question[A: (Contact, Use)] = Callable[[Case[A]], Gate]


def read_wishes(settings: tuple[Setting, ...], channel: str, topic: str) -> dict[str, list[Wish]]:
    """Return the settings that apply, by name: of each the most specific; several if they tie.

    Raises Malformed where any setting at all cannot be understood.
    """
    found: dict[str, list[Wish]] = {}
    for setting in settings:
        name, on, about = setting.name, setting.channel, setting.topic
        value = parse_value(name, setting.value, on, about)
        specificity = 0
        if on != ANY:
            if on != channel:
                continue
            specificity = 2
        if about != ANY:
            if about != topic:
                continue
            specificity += 1
        rivals = found.get(name)
        if rivals is None or rivals[0].specificity < specificity:
            found[name] = [Wish(specificity, value, setting.entry, on, about)]
        elif rivals[0].specificity == specificity:
            rivals.append(Wish(specificity, value, setting.entry, on, about))
            # The order in which they came must not show in what is decided.
            rivals.sort(key=_by_entry)
    return found


def _by_entry(wish: Wish) -> tuple[str, str, str]:
    return wish.entry, wish.scope, repr(wish.value)


def passed(gate: str, layer: str) -> Gate:
    """Return the answer of a gate that finds nothing to look at; it is always the same one."""
    return Gate(gate, layer, "pass", "")


def denies(
    gate: str,
    layer: str,
    code: str,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    return Gate(gate, layer, "deny", code, evidence, inputs or {})


def carries(
    case: Case[Contact] | Case[Use],
    code: str,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    """Answer that this is what gives permission."""
    case.basis = gate = Gate("basis", "basis", "basis", code, evidence, inputs or {})
    return gate


def defers(
    gate: str,
    layer: str,
    code: str,
    until: datetime,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Gate:
    return Gate(gate, layer, "defer", code, evidence, inputs or {}, until)
