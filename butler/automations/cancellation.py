"""Decides whether a run must be cancelled before its next step. Pure."""

from datetime import date

from butler.automations.conditions import is_met
from butler.automations.run_state import RunSnapshot
from butler.document import OnDate
from butler.due import civil_time
from customers.types import OPEN_ORDER_STATUSES


def cancel_code(run: RunSnapshot) -> str:
    """Return the reason code to cancel the run with; empty if the run continues."""
    engaged = run.facts.pause_switches
    if engaged and not engaged.isdisjoint(("*", run.automation)):
        return "pause_switch"
    topic = run.context.get("topic", {})
    if "serial" in run.cause and topic.get("serial") != run.cause["serial"]:
        return "superseded"
    if not _is_date_unchanged(run):
        return "condition"
    condition = run.document.condition
    return "condition" if condition and not is_met(condition, run.context) else ""


def _is_date_unchanged(run: RunSnapshot) -> bool:
    """Return whether the record still has the date that started the run."""
    trigger, on = run.document.trigger, run.cause.get("on")
    if not isinstance(trigger, OnDate) or on is None:
        return True
    root, _, name = trigger.date.partition(".")
    if root == "order":
        order = run.context.get("order", {})
        return order.get(name) == on and order.get("status") in OPEN_ORDER_STATUSES
    value = run.context.get(root, {}).get(name)
    if root == "trait":
        value = run.context["customer"]["traits"].get(name)
    return _returns_on(value, date.fromisoformat(on))


def _returns_on(value: object, day: date) -> bool:
    """Return whether `day` is the anniversary of the date."""
    try:
        birth_date = date.fromisoformat(str(value)[:10])
    except ValueError:
        return False
    return civil_time.anniversary(birth_date, day.year) == day
