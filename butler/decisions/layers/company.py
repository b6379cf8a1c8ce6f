"""What the company decided for everybody: how often, and when not. It only narrows. Pure."""

from butler.decisions import quiet_hours as decision_quiet_hours
from butler.decisions.context import Case, defers, denies, passed
from butler.decisions.layers.preference import when_quiet
from butler.types import Contact, Gate

# What is answered where there is nothing to look at.
_NO_BUDGET = passed("company_budget", "company")
_NEVER_QUIET = passed("company_quiet_hours", "company")


def budget(case: Case[Contact]) -> Gate:
    """Ask whether the company's budget for the class has room."""
    limit = case.rules.budgets.get(case.act.message_class)
    if limit is None:
        return _NO_BUDGET
    if type(limit.most) is not int:
        return denies("company_budget", "integrity", "unknown_rules")
    scope = f"company:{case.act.message_class}"
    zones, days = case.clocks
    window, until = decision_quiet_hours.period(limit.per, days[0], zones[0])
    case.takes.append((scope, window))
    used = (case.facts.used or {}).get(f"{scope}|{window}", 0)
    inputs = {"scope": scope, "window": window, "used": used, "most": limit.most}
    if used >= limit.most:
        return defers("company_budget", "company", "company_budget", until, inputs=inputs)
    return Gate("company_budget", "company", "pass", "", (), inputs)


def quiet_hours(case: Case[Contact]) -> Gate:
    """Ask whether it is too early or too late for the class."""
    hours = case.rules.quiet.get(case.act.message_class)
    if hours is None:
        return _NEVER_QUIET
    return when_quiet(case, "company", "company_quiet_hours", [hours])
