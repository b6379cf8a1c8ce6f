"""What the customer set: which channels, about what, how often, when, and by whom. Pure."""

from collections.abc import Sequence
from datetime import datetime

from butler.decisions import quiet_hours as decision_quiet_hours
from butler.decisions.context import Case, Wish, defers, denies, passed, read_wishes
from butler.decisions.layers.basis import live_relation
from butler.types import Contact, Gate, Use
from customers.consent.preferences import MalformedValue, MessageCap, QuietHours

_ASKED_FOR = frozenset({"order", "request"})
# What is answered where there is nothing to look at.
_NO_CHOICE = passed("allow", "preference")
_USABLE = passed("data_use", "preference")
_NO_PAUSE = passed("pause", "preference")
_UNASKED = passed("only_when_i_ask", "preference")
_NO_BUDGET = passed("budget", "preference")
_NEVER_QUIET = passed("quiet_hours", "preference")
_NO_PERSON = passed("person_first", "preference")


def settings(case: Case[Contact]) -> Gate:
    """Read the settings that apply; where one cannot be understood, none is obeyed by half."""
    return _read(case, case.act.channel, case.act.topic)


def settings_of_use(case: Case[Use]) -> Gate:
    return _read(case, "*", case.act.purpose)


def _read(case: Case[Contact] | Case[Use], channel: str, topic: str) -> Gate:
    try:
        case.wishes = read_wishes(case.control.settings, channel, topic)
    except MalformedValue as problem:
        inputs = {"problem": str(problem)}
        return denies("settings", "preference", "unknown_preference", inputs=inputs)
    count = len(case.control.settings)
    return Gate("settings", "preference", "pass", "", (), {"count": count})


def allow(case: Case[Contact]) -> Gate:
    """Ask whether the channel is on for the topic. Unset is no yes, but the basis was."""
    wishes = case.wishes.get("allow")
    if not wishes:
        return _NO_CHOICE
    for wish in wishes:
        if wish.value is False:
            code = "topic_off" if wish.specificity % 2 else "channel_off"
            return denies("allow", "preference", code, (wish.entry,), {"scope": wish.scope})
    return Gate("allow", "preference", "pass", "", _entries(wishes))


def data_use(case: Case[Use]) -> Gate:
    """Ask whether data may be used for the purpose."""
    for wish in case.wishes.get("data_use", ()):
        if wish.value is False:
            return denies("data_use", "preference", "data_use_off", (wish.entry,))
    return _USABLE


def pause(case: Case[Contact]) -> Gate:
    """Ask whether the customer wants to hear nothing for a while."""
    last: tuple[datetime, str] | None = None
    for wish in case.wishes.get("pause", ()):
        if isinstance(wish.value, datetime) and wish.value > case.now:
            last = max(last or (wish.value, wish.entry), (wish.value, wish.entry))
    if last is None:
        return _NO_PAUSE
    until, entry = last
    return defers("pause", "preference", "paused", until, (entry,))


def only_when_i_ask(case: Case[Contact]) -> Gate:
    """Ask whether the message performs what was asked for, where only that is welcome."""
    for wish in case.wishes.get("only_when_i_ask", ()):
        if wish.value is True:
            found = live_relation(case) if case.act.message_class == "service" else None
            if found is None or found.kind not in _ASKED_FOR:
                evidence = (wish.entry,)
                return denies("only_when_i_ask", "preference", "only_when_asked", evidence)
    return _UNASKED


def budget(case: Case[Contact]) -> Gate:
    """Ask whether the customer's own budget has room in the window that it is."""
    wishes = case.wishes.get("budget")
    if not wishes:
        return _NO_BUDGET
    zones, days = case.clocks
    latest: Gate | None = None
    inputs: dict[str, object] = {}
    for wish in wishes:
        cap = wish.value
        assert isinstance(cap, MessageCap)
        window, until = decision_quiet_hours.period(cap.period, days[0], zones[0])
        scope = wish.scope
        case.takes.append((scope, window))
        used = (case.facts.used or {}).get(f"{scope}|{window}", 0)
        inputs = {"scope": scope, "window": window, "used": used, "most": cap.limit}
        if used >= cap.limit and (latest is None or until > (latest.until or until)):
            evidence = (wish.entry,)
            latest = defers("budget", "preference", "budget_used", until, evidence, inputs)
    return latest or Gate("budget", "preference", "pass", "", _entries(wishes), inputs)


def quiet_hours(case: Case[Contact]) -> Gate:
    """Ask whether it is quiet on the customer's clock, or could be."""
    wishes = case.wishes.get("quiet_hours")
    if not wishes:
        return _NEVER_QUIET
    hours = [wish.value for wish in wishes if isinstance(wish.value, QuietHours)]
    return when_quiet(case, "preference", "quiet_hours", hours, _entries(wishes))


def when_quiet(
    case: Case[Contact],
    layer: str,
    code: str,
    hours: Sequence[QuietHours],
    evidence: tuple[str, ...] = (),
) -> Gate:
    """Defer until none of these hours hold, in any zone where the customer could be."""
    zones, days = case.clocks
    until = decision_quiet_hours.opens(hours, zones, case.now, days)
    inputs = {"zones": [zone.key for zone in zones], "hours": hours}
    if until is case.now:
        return Gate(code, layer, "pass", "", evidence, inputs)
    if until is None:
        return denies(code, layer, "stale", evidence, inputs)
    if not case.is_zone_known:
        return defers(code, layer, "zone_unknown", until, evidence, inputs)
    return defers(code, layer, code, until, evidence, inputs)


def person_first(case: Case[Contact]) -> Gate:
    """Ask whether the customer wants a person rather than the butler."""
    for wish in case.wishes.get("person_first", ()):
        if wish.value is True:
            gate = Gate("person_first", "preference", "pass", "person_first", (wish.entry,))
            case.person_first = gate
            return gate
    return _NO_PERSON


def _entries(wishes: Sequence[Wish]) -> tuple[str, ...]:
    return tuple([wish.entry for wish in wishes])
