"""The rules by which customers change orders without asking. Pure, once the file is loaded."""

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
    """A file of order rules that cannot be used; the text says why."""


class OrderRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long before the visit a change is granted."""

    hours_before: float = 0
    days_before: float = 0

    @property
    def least(self) -> timedelta:
        """The shortest time between the change and the visit."""
        return timedelta(hours=self.hours_before, days=self.days_before)


class OrderRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a company. An empty set lets every change be a request."""

    rules: dict[RuleName, OrderRule] = {}
    expires_after_hours: float = 72

    @property
    def expires_after(self) -> timedelta:
        """How long a request waits for an answer."""
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

    Each field of the change needs a rule. A new visit has to be as far away as the old one.
    """
    names = list(_rule_names(event, change, order))
    if not names or None in names:
        return False
    visits = [_visit(order.visit_date, order.visit_time, zone)]
    if "visit_date" in change or "visit_time" in change:
        new_date = change.get("visit_date", order.visit_date)
        visits.append(_visit(new_date, change.get("visit_time", order.visit_time), zone))
    for name in names:
        rule = rules.rules.get(name) if name else None
        if rule is None:
            return False
        if any(visit is None or visit - now < rule.least for visit in visits):
            return False
    return True


def _rule_names(
    event: str, change: Mapping[str, Any], order: RuledOrder
) -> Iterator[RuleName | None]:
    """Yield the rule that each part of a change needs; None for a part without a rule."""
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
    return [{k: v for k, v in guest.items() if k != "name"} for guest in party]


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else msgspec.convert(value, date)


def _time(value: time | str) -> time:
    return value if isinstance(value, time) else msgspec.convert(value, time)


def _visit(visit_date: Any, visit_time: Any, zone: ZoneInfo) -> datetime | None:
    """Return the beginning of a visit: without a time, the beginning of its day."""
    try:
        day = _date(visit_date) if visit_date else None
        start = _time(visit_time) if visit_time else time()
    except msgspec.ValidationError:
        return None
    return datetime.combine(day, start.replace(tzinfo=None), zone) if day else None
