"""Reduces a consent state to the columns by which queries filter many customers. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from customers.consent.ledger_entries import parse_moment
from customers.consent.state import ANY, State


class ConsentFilter(NamedTuple):
    """The columns by which queries filter many customers at once.

    A query with this filter may return a customer for whom the decision then denies the message.
    It never omits a customer for whom the decision would allow the message: the columns contain
    only channels and topics that no other setting turns on.
    """

    granted: list[str]
    objected: list[str]
    channels_off: list[str]
    topics_off: list[str]
    paused_until: datetime | None
    only_when_i_ask: bool
    expires_at: datetime | None


def consent_filter(state: State) -> ConsentFilter:
    """Return the filter columns of a consent state."""
    allowed = {(s.channel, s.topic): s.value for s in state.settings if s.name == "allow"}
    everywhere = {s.name: s.value for s in state.settings if (s.channel, s.topic) == (ANY, ANY)}
    granted = {
        purpose: consent for purpose, consent in state.consents.items() if consent.state == "given"
    }
    # A pause for one channel or topic replaces the pause for all there, even after it has ended.
    is_paused = all(s.topic == s.channel == ANY for s in state.settings if s.name == "pause")
    pause = everywhere.get("pause") if is_paused else None
    ends = [consent.valid_until for consent in granted.values() if consent.valid_until]
    return ConsentFilter(
        granted=sorted(granted),
        objected=sorted(state.objections),
        channels_off=_off(allowed),
        topics_off=_topics_off(allowed),
        paused_until=parse_moment(pause) if isinstance(pause, str) else None,
        only_when_i_ask=everywhere.get("only_when_i_ask") is True,
        expires_at=min(ends, default=None),
    )


def _topics_off(allowed: Mapping[tuple[str, str], object]) -> list[str]:
    # The setting "on" for a channel is more specific than the setting "off" for a topic.
    if any(value for (channel, topic), value in allowed.items() if channel != ANY == topic):
        return []
    return _off({(topic, channel): on for (channel, topic), on in allowed.items()})


def _off(allowed: Mapping[tuple[str, str], object]) -> list[str]:
    """Return the channels (or topics) that are off and have no more specific setting "on"."""
    on = {first for (first, second), value in allowed.items() if value and second != ANY}
    off = {first for (first, second), value in allowed.items() if not value and second == ANY}
    if ANY in off and True in allowed.values():
        off.remove(ANY)
    return sorted(off - on)
