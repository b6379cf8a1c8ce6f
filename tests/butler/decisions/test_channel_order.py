"""The order of channels, for the settings of invented customers."""

import msgspec
import pytest

from butler.decisions.channel_order import order_channels
from customers.consent.state import Setting
from tests.butler.decision_scenarios import world


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        ("", ("email", "sms", "inbox")),
        ('set channel_order ["inbox", "sms"]', ("inbox", "sms", "email")),
        ('set channel_order ["phone", "sms"]', ("sms", "email", "inbox")),
        ("set allow false on email", ("sms", "inbox", "email")),
        ('set channel_order ["email"]; set allow false on email', ("sms", "inbox", "email")),
        ("set allow false; set allow true on inbox", ("inbox", "email", "sms")),
        # Invalid values change nothing here; decide() refuses them.
        ('set channel_order "inbox"', ("email", "sms", "inbox")),
        ("unknown consent_state", ("email", "sms", "inbox")),
    ],
)
def test_channels_have_the_order_of_the_customers_setting(words, ordered):
    _, facts, _, _ = world("marketing", words).decide_arguments()

    assert order_channels(facts, ("email", "sms", "inbox")) == ordered


def test_order_of_two_settings_does_not_change_the_channel_order():
    settings = (
        Setting("channel_order", ["sms"], "set-a"),
        Setting("channel_order", ["inbox"], "set-b"),
    )
    _, facts, _, _ = world("marketing", "").decide_arguments()

    def ordered(settings):
        consent_state = msgspec.structs.replace(facts.consent_state, settings=settings)
        return order_channels(
            msgspec.structs.replace(facts, consent_state=consent_state), ("email", "sms", "inbox")
        )

    assert ordered(settings) == ordered(settings[::-1])
