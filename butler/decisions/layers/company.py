"""Checks of the company's policy: budgets and quiet hours by message class. Pure."""

from butler.decisions.context import DecisionContext, defer, deny, pass_gate
from butler.decisions.layers.preference import check_quiet_hours
from butler.decisions.quiet_hours import budget_window
from butler.types import Contact, Gate

_BUDGET_PASS = pass_gate("company_budget", "company")
_QUIET_HOURS_PASS = pass_gate("company_quiet_hours", "company")


def budget(context: DecisionContext[Contact]) -> Gate:
    """Check whether the company's budget for the message class is used up."""
    limit = context.rules.budgets.get(context.act.message_class)
    if limit is None:
        return _BUDGET_PASS
    if type(limit.limit) is not int:
        return deny("company_budget", "integrity", "unknown_rules")
    scope = f"company:{context.act.message_class}"
    zones, days = context.zones_and_dates
    window, until = budget_window(limit.period, days[0], zones[0])
    context.budget_windows.append((scope, window))
    used = (context.facts.used or {}).get(f"{scope}|{window}", 0)
    inputs = {"scope": scope, "window": window, "used": used, "most": limit.limit}
    if used >= limit.limit:
        return defer("company_budget", "company", "company_budget", until, inputs=inputs)
    return Gate(gate="company_budget", layer="company", verdict="pass", code="", inputs=inputs)


def quiet_hours(context: DecisionContext[Contact]) -> Gate:
    """Check whether it is in the company's quiet hours for the message class."""
    hours = context.rules.quiet_hours.get(context.act.message_class)
    if hours is None:
        return _QUIET_HOURS_PASS
    return check_quiet_hours(context, "company", "company_quiet_hours", [hours])
