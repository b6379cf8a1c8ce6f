"""What the company decided for everybody: how often, and when not. It only narrows. Pure."""

from butler import quiet
from butler.case import Answer, Case, defers, denies, passed, passes
from butler.layers.preference import when_quiet
from butler.profile import Contact


def budget(case: Case[Contact]) -> Answer:
    """Ask whether the company's budget for the class has room."""
    limit = case.rules.budgets.get(case.act.message_class)
    if limit is None:
        return passed("company_budget", "company")
    if type(limit.most) is not int:
        return denies("company_budget", "integrity", "unknown_rules")
    scope = f"company:{case.act.message_class}"
    window, until = quiet.period(limit.per, case.days[0], case.zones[0])
    case.takes.append((scope, window))
    used = (case.facts.used or {}).get(f"{scope}|{window}", 0)
    inputs = {"scope": scope, "window": window, "used": used, "most": limit.most}
    if used >= limit.most:
        return defers("company_budget", "company", "company_budget", until, inputs=inputs)
    return passes("company_budget", "company", inputs=inputs)


def quiet_hours(case: Case[Contact]) -> Answer:
    """Ask whether it is too early or too late for the class."""
    hours = case.rules.quiet.get(case.act.message_class)
    if hours is None:
        return passed("company_quiet_hours", "company")
    return when_quiet(case, "company", "company_quiet_hours", [hours])
