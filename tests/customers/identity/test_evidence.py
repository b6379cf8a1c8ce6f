"""The evidence of the statements of each kind of sender about its own customers."""

import pytest

from customers.identity.evidence import address_evidence, card_evidence
from customers.types import (
    CLAIMED,
    CONFIRMED,
    NOTED,
    OPENED,
    STATED,
    Sender,
    owns_its_space,
)


def sender(channel="app", *, trusted=True, **fields):
    return Sender(source_id=7, name="any", channel=channel, is_trusted=trusted, **fields)


def test_scale_orders_proofs_above_statements_above_notes_above_claims():
    assert CONFIRMED > OPENED > STATED > NOTED > CLAIMED


@pytest.mark.parametrize(
    ("sender", "email_verified", "evidence"),
    [
        # An app, a site and a server state what their own customers told them.
        (sender("app"), None, STATED),
        (sender("site"), None, STATED),
        (sender("web"), None, STATED),
        (sender("any name of a channel"), None, STATED),
        # A publishable key, or a secret key without the scope `identify`.
        (sender("app", trusted=False), None, CLAIMED),
        (sender("app", trusted=False, is_secret=True), None, CLAIMED),
        (sender("app", trusted=False, addresses="checked"), None, CLAIMED),
        (sender("app", trusted=False), True, CLAIMED),
        (sender("app", trusted=False), False, CLAIMED),
        # Staff and files write about customers of other systems.
        (sender("till"), None, NOTED),
        (sender("store"), None, NOTED),
        (sender("phone"), None, NOTED),
        (sender("desk"), None, NOTED),
        (sender("kiosk"), None, NOTED),
        (sender("import"), None, NOTED),
        (sender("partner"), None, NOTED),
        (sender("console"), None, NOTED),
        # Many people use the device.
        (sender("app", is_shared=True), None, NOTED),
        # The source checks its addresses, or the operator says that it does not.
        (sender("app", addresses="checked"), None, CONFIRMED),
        (sender("store", addresses="checked"), None, CONFIRMED),
        (sender("app", addresses="unchecked"), None, NOTED),
        # An import of own customers is as good as the system that exported it.
        (sender("import", addresses="stated"), None, STATED),
        (sender("import", addresses="checked"), None, CONFIRMED),
        (sender("app", addresses="stated"), None, STATED),
        # A desk does not become an owner of addresses by a setting.
        (sender("store", addresses="stated"), None, NOTED),
        (sender("partner", addresses="stated"), None, NOTED),
        (sender("app", addresses="stated", is_shared=True), None, NOTED),
        # The event says for its own mailbox whether somebody confirmed it.
        (sender("app"), True, CONFIRMED),
        (sender("app"), "true", CONFIRMED),
        (sender("app"), False, NOTED),
        (sender("app"), "false", NOTED),
        (sender("app", addresses="checked"), False, NOTED),
        (sender("app", addresses="unchecked"), True, CONFIRMED),
        (sender("store"), True, NOTED),
        # A value with no clear meaning changes nothing.
        (sender("app"), "yes", STATED),
        (sender("app"), 1, STATED),
        (sender("app"), 0, STATED),
        (sender("app"), [], STATED),
        (sender("app"), {"email": True}, STATED),
        (sender("store"), "", NOTED),
    ],
)
def test_sender_and_trait_decide_the_evidence(sender, email_verified, evidence):
    assert address_evidence(sender, email_verified) == evidence


@pytest.mark.parametrize(
    ("sender", "evidence"),
    [
        (sender("store", addresses="checked"), CONFIRMED),
        (sender("store"), NOTED),
        (sender("app"), STATED),
        (sender("app", trusted=False, addresses="checked"), CLAIMED),
    ],
)
def test_only_a_source_that_checks_addresses_confirms_the_cards_that_it_issued(sender, evidence):
    assert card_evidence(sender) == evidence


@pytest.mark.parametrize(
    ("channel", "is_shared", "is_trusted", "expected"),
    [
        ("app", False, True, True),
        ("site", False, True, True),
        ("app", False, False, False),
        ("app", True, True, False),
        ("store", False, True, False),
        ("phone", False, True, False),
        ("import", False, True, False),
        ("partner", False, True, False),
        ("kiosk", True, True, False),
    ],
)
def test_only_a_trusted_system_with_its_own_customers_owns_its_space(
    channel, is_shared, is_trusted, expected
):
    is_owner = owns_its_space(channel=channel, is_shared=is_shared, is_trusted=is_trusted)

    assert is_owner is expected
