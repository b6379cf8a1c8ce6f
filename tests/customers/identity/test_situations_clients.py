"""Situations in the shapes that published clients and shops send, through the wire."""

import pytest
from django.core.management import call_command

from customers.models import Identifier, Link, Trait
from tests.customers.identity.company import (
    WireSource,
    are_one,
    email,
    record_of,
    shown_identifiers,
    timeline,
)

pytestmark = pytest.mark.django_db

BOX = "noor@mail.nl"


def guest_order(source, hour, **properties):
    """Send the order of a guest whose browser is known, and return the warnings."""
    properties = {"order_id": 5001, "total": 25, "currency": "EUR", **properties}
    return source.track(hour, "", "Order Completed", anonymousId="browser", properties=properties)


def test_guest_order_with_its_address_in_properties_is_on_the_mailbox(shop):
    shop.identify(1, "noor", email=BOX)

    warnings = guest_order(shop, 2, email="Noor@Mail.nl")

    assert warnings == ""
    assert timeline(shop, record_of(shop.account("noor"))) == ["identify", "Order Completed"]


def test_guest_order_is_on_its_own_address_and_not_on_that_of_the_previous_user(shop):
    shop.identify(1, "anna", email="anna@mail.nl")
    context = {"traits": {"email": "anna@mail.nl"}}
    properties = {"order_id": 5002, "email": BOX}

    shop.track(2, "", "Order Completed", properties=properties, context=context)

    assert timeline(shop, record_of(email(BOX))) == ["Order Completed"]
    assert timeline(shop, record_of(shop.account("anna"))) == ["identify"]


def test_identify_does_not_state_the_address_of_the_previous_user(shop):
    shop.order(1, "A-1", email=BOX)
    shop.order(1, "A-2", email="anna@mail.nl")
    context = {"traits": {"email": "anna@mail.nl"}}

    shop.send(shop.event("identify", 2, "noor", traits={"email": BOX}, context=context))

    assert are_one(shop.account("noor"), email(BOX))
    assert not are_one(shop.account("noor"), email("anna@mail.nl"))


def test_guest_order_of_a_browser_with_an_address_in_properties_is_a_claim(shop):
    shop.identify(1, "noor", email=BOX)
    browser = WireSource("Web", "site", ids="shop", is_secret=False)

    guest_order(browser, 2, email=BOX)

    assert timeline(shop, record_of(shop.account("noor"))) == ["identify"]


def test_address_of_a_friend_in_an_invitation_files_nothing_on_the_friend(shop):
    shop.identify(1, "friend", email=BOX)

    shop.track(2, "", "Invite Sent", anonymousId="browser", properties={"email": BOX})

    assert timeline(shop, record_of(email(BOX))) == ["identify"]


def test_alias_of_an_address_joins_the_mailbox_and_the_account(shop):
    shop.track(1, "Jen@Email.com", "Newsletter Subscribed")

    shop.send(shop.event("alias", 2, "507f191e81", previousId="jen@email.com"))

    record = record_of(shop.account("507f191e81"))
    assert timeline(shop, record) == ["Newsletter Subscribed", "alias"]
    assert shown_identifiers(shop, record) == {"user_id 507f191e81", "email jen@email.com"}


def test_alias_of_an_address_by_a_browser_is_a_claim(shop):
    shop.identify(1, "noor", email=BOX)
    browser = WireSource("Web", "site", ids="shop", is_secret=False)

    browser.send(browser.event("alias", 2, "thief", previousId=BOX, anonymousId="browser"))

    assert timeline(shop, record_of(email(BOX))) == ["identify"]


def test_identify_of_rudderstack_states_its_traits_and_its_verified_address(shop):
    traits = {"email": BOX, "name": "Noor", "email_verified": True}
    shop.send(shop.event("identify", 1, "1001", context={"traits": traits}))

    record = record_of(email(BOX))
    assert stored_traits(record) == traits
    assert shop.identify(2, "other", email=BOX) == "contested;count=1"


def test_rebuild_reads_the_traits_of_a_context_as_the_wire_does(shop):
    traits = {"email": BOX, "name": "Noor", "email_verified": True}
    shop.send(shop.event("identify", 2, "1001", context={"traits": traits}))
    shop.identify(1, "first", email=BOX)
    Trait.objects.all().delete()
    Link.objects.all().delete()

    call_command("rebuild", "--identities")
    call_command("rebuild")

    assert are_one(shop.account("1001"), email(BOX))
    assert stored_traits(record_of(email(BOX))) == traits


def test_user_id_that_is_a_mailbox_of_nobody_is_no_account(shop):
    for number in range(2):
        warnings = shop.order(number, f"A-{number}", "noreply@shop.nl", email=f"n{number}@mail.nl")
        assert warnings == "non_identifier;count=1"

    assert not Identifier.objects.filter(kind="user_id").exists()
    assert timeline(shop, record_of(email("n1@mail.nl"))) == ["Order Completed"]


def stored_traits(record_id):
    rows = Trait.objects.filter(customer_id=record_id)
    return {row.name: row.value for row in rows}
