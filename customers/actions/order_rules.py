"""The company's rules for changes that customers make without an answer of staff or a source.

Pure, except for the load of the file.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from customers.projections.orders import (
    CANCELLATION_REQUESTED,
    CHANGE_REQUESTED,
    LINE_CANCELLATION_REQUESTED,
)

DEFAULT_FILE = Path(__file__).with_suffix(".toml")

type RuleName = Literal["party_names", "visit_time", "visit_date", "note", "cancel", "cancel_line"]
# The rule for each field of a change. A change with any other field is never granted.
_RULE_OF_FIELD: Mapping[str, RuleName] = {
    "party": "party_names",
    "visit_time": "visit_time",
    "visit_date": "visit_date",
    "note": "note",
}


class InvalidOrderRules(ValueError):
    """A file of order rules is not valid. The text of the error names the reason."""


class OrderRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule: the shortest time between a change and the visit, as hours plus days."""

    hours_before: float = 0
    days_before: float = 0

    @property
    def shortest_time(self) -> timedelta:
        """The shortest time between the change and the visit."""
        return timedelta(hours=self.hours_before, days=self.days_before)


class OrderRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a company. Without rules, each change waits for an answer."""

    rules: dict[RuleName, OrderRule] = {}
    expires_after_hours: float = 72

    @property
    def expires_after(self) -> timedelta:
        """The time after which a request without an answer expires."""
        return timedelta(hours=self.expires_after_hours)


# The rules in force. They are loaded when the process starts.
_current: OrderRules = OrderRules()


def current_rules() -> OrderRules:
    """Return the rules of the company."""
    return _current


def set_rules(rules: OrderRules) -> None:
    """Put these rules in force."""
    global _current
    _current = rules


class RuledOrder(msgspec.Struct, frozen=True):
    """The facts about an order that the rules depend on."""

    visit_date: date | None
    visit_time: time | None
    party: list[dict[str, Any]]


def load_rules(path: Path) -> OrderRules:
    """Return the rules of a TOML file. Raises InvalidOrderRules."""
    try:
        rules = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), OrderRules)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise InvalidOrderRules(f"{path}: {error}") from error
    if rules.expires_after_hours <= 0:
        raise InvalidOrderRules(f"{path}: expires_after_hours must be positive")
    return rules


def grants(
    rules: OrderRules,
    event: str,
    change: Mapping[str, Any],
    order: RuledOrder,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Tell whether the rules grant a requested change of a placed order now.

    Each field of the change needs a rule. If the change has a new time of the visit, both the old and
    the new visit must be late enough for the rules.

    event: the name of the request, such as "Order Change Requested"
    """
    needed = [rules.rules.get(name) if name else None for name in _rule_names(event, change, order)]
    visits = _visits(change, order, zone)
    return bool(needed) and all(
        rule is not None and visit is not None and visit - now >= rule.shortest_time
        for rule in needed
        for visit in visits
    )


def _visits(change: Mapping[str, Any], order: RuledOrder, zone: ZoneInfo) -> list[datetime | None]:
    """Return the beginning of the visit before the change, and after it if the change moves it."""
    visits = [_visit(order.visit_date, order.visit_time, zone)]
    if "visit_date" in change or "visit_time" in change:
        new_date = change.get("visit_date", order.visit_date)
        visits.append(_visit(new_date, change.get("visit_time", order.visit_time), zone))
    return visits


def _rule_names(
    event: str, change: Mapping[str, Any], order: RuledOrder
) -> Iterator[RuleName | None]:
    """Yield the name of the rule for each part of a change; None for a part that no rule may grant."""
    if event == CANCELLATION_REQUESTED:
        yield "cancel"
    elif event == LINE_CANCELLATION_REQUESTED:
        yield "cancel_line"
    elif event == CHANGE_REQUESTED:
        for field in change:
            is_other_party = field == "party" and not _changes_only_names(change["party"], order)
            yield None if is_other_party else _RULE_OF_FIELD.get(field)


def _changes_only_names(party: Any, order: RuledOrder) -> bool:
    """Tell whether a party differs from that of the order in the names of its guests only."""
    return _without_names(party) == _without_names(order.party)


def _without_names(party: Any) -> list[dict[str, Any]] | None:
    if not isinstance(party, list) or not all(isinstance(guest, dict) for guest in party):
        return None
    return [{field: value for field, value in guest.items() if field != "name"} for guest in party]


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else msgspec.convert(value, date)


def _time(value: time | str) -> time:
    return value if isinstance(value, time) else msgspec.convert(value, time)


def _visit(visit_date: Any, visit_time: Any, zone: ZoneInfo) -> datetime | None:
    """Return the beginning of a visit; without a time of day, the beginning of its day.

    Returns None without a date, or if the date or the time is not valid.
    """
    try:
        day = _date(visit_date) if visit_date else None
        start = _time(visit_time) if visit_time else time()
    except msgspec.ValidationError:
        return None
    return datetime.combine(day, start.replace(tzinfo=None), zone) if day else None
