"""Sorts the channels of a message by the preference of the customer. Pure."""

from collections.abc import Sequence

from butler.decisions.context import applicable_settings
from butler.types import Facts
from customers.consent.preferences import MalformedValue
from customers.consent.state import Setting


def order_channels(facts: Facts, candidates: Sequence[str]) -> tuple[str, ...]:
    """Return the channels in the order that the customer prefers.

    The channels of the setting `channel_order` come first, then the others in the given order, and
    last the channels that are turned off.
    """
    settings = facts.consent_state.settings if facts.consent_state else ()
    try:
        positions = _positions(settings)
        off = {channel for channel in candidates if _is_off(settings, channel)}
    except MalformedValue:
        return tuple(candidates)
    last = len(positions)
    return tuple(
        sorted(candidates, key=lambda channel: (channel in off, positions.get(channel, last)))
    )


def _positions(settings: tuple[Setting, ...]) -> dict[str, int]:
    """Return the position of each channel in the customer's setting `channel_order`."""
    positions: dict[str, int] = {}
    for setting in applicable_settings(settings, "*", "*").get("channel_order", ()):
        names = _names(setting.value)
        positions |= {str(name): position for position, name in enumerate(names)}
    return positions


def _is_off(settings: tuple[Setting, ...], channel: str) -> bool:
    allows = applicable_settings(settings, channel, "*").get("allow", ())
    return any(setting.value is False for setting in allows)


def _names(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
