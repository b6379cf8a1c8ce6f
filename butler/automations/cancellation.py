"""Whether a run has to end before it does anything more. Pure."""

from datetime import date

from butler.automations.conditions import is_met
from butler.automations.run_state import RunSnapshot
from butler.document import OnDate
from butler.due import civil_time

_OPEN_ORDERS = ("placed", "amended")


def cancel_code(run: RunSnapshot) -> str:
    """Return the code for which the run is to be cancelled; empty where it is not."""
    halted = run.facts.halted
    if halted and not halted.isdisjoint(("*", run.automation)):
        return "halted"
    topic = run.context.get("topic", {})
    if "serial" in run.cause and topic.get("serial") != run.cause["serial"]:
        return "superseded"
    if not _is_date_unchanged(run):
        return "condition"
    condition = run.document.condition
    return "condition" if condition and not is_met(condition, run.context) else ""


def _is_date_unchanged(run: RunSnapshot) -> bool:
    """Return whether the date that started the run still is the one on the record."""
    trigger, on = run.document.trigger, run.cause.get("on")
    if not isinstance(trigger, OnDate) or on is None:
        return True
    root, _, name = trigger.date.partition(".")
    if root == "order":
        order = run.context.get("order", {})
        return order.get(name) == on and order.get("status") in _OPEN_ORDERS
    value = run.context.get(root, {}).get(name)
    if root == "trait":
        value = run.context["customer"]["traits"].get(name)
    return _returns_on(value, date.fromisoformat(on))


def _returns_on(value: object, day: date) -> bool:
    """Return whether a date on the record returns on that day."""
    try:
        birth_date = date.fromisoformat(str(value)[:10])
    except ValueError:
        return False
    return civil_time.anniversary(birth_date, day.year) == day
