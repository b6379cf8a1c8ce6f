"""Checks of the customer's preferences: channels, topics, budgets, quiet hours, person. Pure."""

from collections.abc import Sequence
from datetime import datetime

from butler.decisions.context import (
    ApplicableSetting,
    DecisionContext,
    applicable_settings,
    defer,
    deny,
    pass_gate,
)
from butler.decisions.layers.basis import live_relation
from butler.decisions.quiet_hours import budget_window, next_permitted_time
from butler.types import Contact, Gate, Use
from customers.consent.preferences import MalformedValue, MessageCap, QuietHours

_REQUESTED_KINDS = frozenset({"order", "request"})
_ALLOW_PASS = pass_gate("allow", "preference")
_DATA_USE_PASS = pass_gate("data_use", "preference")
_PAUSE_PASS = pass_gate("pause", "preference")
_ONLY_WHEN_I_ASK_PASS = pass_gate("only_when_i_ask", "preference")
_BUDGET_PASS = pass_gate("budget", "preference")
_QUIET_HOURS_PASS = pass_gate("quiet_hours", "preference")
_PERSON_FIRST_PASS = pass_gate("person_first", "preference")


def read_settings(context: DecisionContext[Contact]) -> Gate:
    """Read the settings that apply; one invalid setting denies."""
    return _read(context, context.act.channel, context.act.topic)


def read_data_use_settings(context: DecisionContext[Use]) -> Gate:
    """Read the settings that apply to the purpose of a use of data."""
    return _read(context, "*", context.act.purpose)


def _read(
    context: DecisionContext[Contact] | DecisionContext[Use], channel: str, topic: str
) -> Gate:
    try:
        context.settings = applicable_settings(context.consent_state.settings, channel, topic)
    except MalformedValue as problem:
        inputs = {"problem": str(problem)}
        return deny("settings", "preference", "unknown_preference", inputs=inputs)
    count = len(context.consent_state.settings)
    return Gate(
        gate="settings", layer="preference", verdict="pass", code="", inputs={"count": count}
    )


def allow(context: DecisionContext[Contact]) -> Gate:
    """Check whether the channel is on for the topic. Without a setting the check passes."""
    settings = context.settings.get("allow")
    if not settings:
        return _ALLOW_PASS
    for setting in settings:
        if setting.value is False:
            code = "topic_off" if setting.specificity % 2 else "channel_off"
            return deny("allow", "preference", code, (setting.entry,), {"scope": setting.scope})
    return Gate(
        gate="allow", layer="preference", verdict="pass", code="", references=_entries(settings)
    )


def data_use(context: DecisionContext[Use]) -> Gate:
    """Check whether the use of data for the purpose is on."""
    for setting in context.settings.get("data_use", ()):
        if setting.value is False:
            return deny("data_use", "preference", "data_use_off", (setting.entry,))
    return _DATA_USE_PASS


def pause(context: DecisionContext[Contact]) -> Gate:
    """Check whether the customer paused all messages."""
    last: tuple[datetime, str] | None = None
    for setting in context.settings.get("pause", ()):
        if isinstance(setting.value, datetime) and setting.value > context.now:
            last = max(last or (setting.value, setting.entry), (setting.value, setting.entry))
    if last is None:
        return _PAUSE_PASS
    until, entry = last
    return defer("pause", "preference", "paused", until, (entry,))


def only_when_i_ask(context: DecisionContext[Contact]) -> Gate:
    """If the customer set it, check whether the message belongs to an order or a request."""
    for setting in context.settings.get("only_when_i_ask", ()):
        if setting.value is True:
            relation = live_relation(context) if context.act.message_class == "service" else None
            if relation is None or relation.kind not in _REQUESTED_KINDS:
                references = (setting.entry,)
                return deny("only_when_i_ask", "preference", "only_when_asked", references)
    return _ONLY_WHEN_I_ASK_PASS


def budget(context: DecisionContext[Contact]) -> Gate:
    """Check whether the customer's own budget for the current window is used up."""
    settings = context.settings.get("budget")
    if not settings:
        return _BUDGET_PASS
    zones, days = context.zones_and_dates
    latest: Gate | None = None
    inputs: dict[str, object] = {}
    for setting in settings:
        cap = setting.value
        assert isinstance(cap, MessageCap)
        window, until = budget_window(cap.period, days[0], zones[0])
        scope = setting.scope
        context.budget_windows.append((scope, window))
        used = (context.facts.used or {}).get(f"{scope}|{window}", 0)
        inputs = {"scope": scope, "window": window, "used": used, "most": cap.limit}
        if used >= cap.limit and (latest is None or until > (latest.until or until)):
            references = (setting.entry,)
            latest = defer("budget", "preference", "budget_used", until, references, inputs)
    return latest or Gate(
        gate="budget",
        layer="preference",
        verdict="pass",
        code="",
        references=_entries(settings),
        inputs=inputs,
    )


def quiet_hours(context: DecisionContext[Contact]) -> Gate:
    """Check whether it is in the customer's quiet hours, in any possible time zone."""
    settings = context.settings.get("quiet_hours")
    if not settings:
        return _QUIET_HOURS_PASS
    hours = [setting.value for setting in settings if isinstance(setting.value, QuietHours)]
    return check_quiet_hours(context, "preference", "quiet_hours", hours, _entries(settings))


def check_quiet_hours(
    context: DecisionContext[Contact],
    layer: str,
    code: str,
    hours: Sequence[QuietHours],
    references: tuple[str, ...] = (),
) -> Gate:
    """Return a gate that defers until the quiet hours end in all zones of the context."""
    zones, days = context.zones_and_dates
    until = next_permitted_time(hours, zones, context.now, days)
    inputs = {"zones": [zone.key for zone in zones], "hours": hours}
    if until is context.now:
        return Gate(
            gate=code, layer=layer, verdict="pass", code="", references=references, inputs=inputs
        )
    if until is None:
        return deny(code, layer, "stale", references, inputs)
    if not context.is_zone_known:
        return defer(code, layer, "zone_unknown", until, references, inputs)
    return defer(code, layer, code, until, references, inputs)


def person_first(context: DecisionContext[Contact]) -> Gate:
    """Check whether the customer prefers a person. Then staff handle the message."""
    for setting in context.settings.get("person_first", ()):
        if setting.value is True:
            gate = Gate(
                gate="person_first",
                layer="preference",
                verdict="pass",
                code="person_first",
                references=(setting.entry,),
            )
            context.person_first = gate
            return gate
    return _PERSON_FIRST_PASS


def _entries(settings: Sequence[ApplicableSetting]) -> tuple[str, ...]:
    return tuple([setting.entry for setting in settings])
