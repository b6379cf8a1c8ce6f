"""The Preferences page shows the same settings that decisions use."""

import pytest

from channels.pages.presenters import preferences
from customers.consent.state import Setting


def _allow(value: bool, channel: str, topic: str) -> Setting:
    return Setting("allow", value, "entry", channel, topic)


@pytest.mark.parametrize(
    ("settings", "cell", "is_on"),
    [
        ((), ("email", "offers"), True),
        ((_allow(False, "email", "*"),), ("email", "offers"), False),
        ((_allow(False, "email", "*"), _allow(True, "email", "offers")), ("email", "offers"), True),
        ((_allow(False, "email", "*"), _allow(True, "*", "offers")), ("email", "offers"), False),
        ((_allow(False, "*", "offers"),), ("email", "offers"), False),
        ((_allow(False, "*", "offers"),), ("email", "*"), True),
    ],
)
def test_switch_is_on_where_decisions_would_send(settings, cell, is_on):
    assert preferences.is_on(settings, *cell) is is_on
