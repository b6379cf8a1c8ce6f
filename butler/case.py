"""What one decision is about, and how its questions are answered. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

from butler.clocks import find_zone, local_day
from butler.profile import Contact, Facts, Gate, Rules, Use
from customers.control import Setting, State
from customers.preferences import meaning

# A gate, and until when it defers.
type Answer = tuple[Gate, datetime | None]


class Wish(msgspec.Struct, frozen=True, gc=False):
    """A setting that is understood; the most specific scope wins."""

    specificity: int
    setting: Setting
    value: object

    @property
    def entry(self) -> str:
        return self.setting.entry

    @property
    def scope(self) -> str:
        return f"{self.setting.channel}:{self.setting.topic}"


class UnknownZone(Exception):
    """Neither the customer's zone nor the plausible ones can be told."""


class Case[A: (Contact, Use)]:
    """One act, and everything that is known when it is judged."""

    __slots__ = (
        "_days",
        "_zones",
        "act",
        "basis",
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
        self._zones: list[ZoneInfo] | None = None
        self._days: list[date] | None = None

    @property
    def control(self) -> State:
        # Asked for after integrity only, which denies where it is missing.
        assert self.facts.control is not None
        return self.facts.control

    @property
    def is_zone_known(self) -> bool:
        return bool(self.wishes.get("zone") or self.facts.zone)

    @property
    def zones(self) -> list[ZoneInfo]:
        """Where the customer is, or everywhere they could be; never empty.

        Raises UnknownZone where that cannot be told.
        """
        if self._zones is None:
            self._zones = self._find_zones()
        return self._zones

    @property
    def days(self) -> list[date]:
        """The dates that it is now in the zones."""
        if self._days is None:
            self._days = [local_day(self.now, zone) for zone in self.zones]
        return self._days

    def _find_zones(self) -> list[ZoneInfo]:
        names: Sequence[str] = [str(wish.value) for wish in self.wishes.get("zone", ())]
        if not names:
            names = (self.facts.zone,) if self.facts.zone else self.rules.plausible_zones
        zones = [zone for name in names if (zone := find_zone(name))]
        # Were one of them passed over, a message could be unwelcome exactly there.
        if not zones or len(zones) < len(names):
            raise UnknownZone
        return zones


type Question[A: (Contact, Use)] = Callable[[Case[A]], Answer]


def read_wishes(settings: tuple[Setting, ...], channel: str, topic: str) -> dict[str, list[Wish]]:
    """Return the settings that apply, by name: of each the most specific; several if they tie.

    Raises Malformed where any setting at all cannot be understood.
    """
    found: dict[str, list[Wish]] = {}
    for setting in settings:
        on, about = setting.channel, setting.topic
        value = meaning(setting.name, setting.value, on, about)
        if on not in ("*", channel) or about not in ("*", topic):
            continue
        wish = Wish(2 * (on != "*") + (about != "*"), setting, value)
        rivals = found.get(setting.name)
        if rivals is None or rivals[0].specificity < wish.specificity:
            found[setting.name] = [wish]
        elif rivals[0].specificity == wish.specificity:
            rivals.append(wish)
            # The order in which they came must not show in what is decided.
            rivals.sort(key=_by_entry)
    return found


def _by_entry(wish: Wish) -> tuple[str, str, str]:
    return wish.entry, wish.scope, repr(wish.value)


@cache
def passed(gate: str, layer: str) -> Answer:
    """Return the answer of a gate that finds nothing to look at."""
    return Gate(gate, layer, "pass", ""), None


def passes(
    gate: str,
    layer: str,
    code: str = "",
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Answer:
    return Gate(gate, layer, "pass", code, evidence, inputs or {}), None


def denies(
    gate: str,
    layer: str,
    code: str,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Answer:
    return Gate(gate, layer, "deny", code, evidence, inputs or {}), None


def carries(
    case: Case[Contact] | Case[Use],
    code: str,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Answer:
    """Answer that this is what gives permission."""
    case.basis = Gate("basis", "basis", "basis", code, evidence, inputs or {})
    return case.basis, None


def defers(
    gate: str,
    layer: str,
    code: str,
    until: datetime,
    evidence: tuple[str, ...] = (),
    inputs: Mapping[str, object] | None = None,
) -> Answer:
    return Gate(gate, layer, "defer", code, evidence, inputs or {}), until
