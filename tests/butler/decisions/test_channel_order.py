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
        # What cannot be understood changes nothing here; decide() refuses it.
        ('set channel_order "inbox"', ("email", "sms", "inbox")),
        ("unknown control", ("email", "sms", "inbox")),
    ],
)
def test_channels_come_in_the_order_that_the_customer_wants(words, ordered):
    _, facts, _, _ = world("marketing", words).decide_arguments()

    assert order_channels(facts, ("email", "sms", "inbox")) == ordered


def test_of_two_orders_the_answer_does_not_depend_on_which_came_first():
    settings = (
        Setting("channel_order", ["sms"], "set-a"),
        Setting("channel_order", ["inbox"], "set-b"),
    )
    _, facts, _, _ = world("marketing", "").decide_arguments()

    def ordered(settings):
        control = msgspec.structs.replace(facts.control, settings=settings)
        return order_channels(
            msgspec.structs.replace(facts, control=control), ("email", "sms", "inbox")
        )

    assert ordered(settings) == ordered(settings[::-1])
