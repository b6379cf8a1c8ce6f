"""The link "Not mine" of a service message to an address that nobody confirmed."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from butler.models import Message
from channels import deliveries
from customers.identity import decisions
from customers.models import (
    AccessLogEntry,
    AddressRefusal,
    Customer,
    Event,
    ManualDecision,
    SourceWarning,
    User,
)
from tests.butler import arrange
from tests.customers.identity.company import WireSource, are_one, email, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.test_silences import hours_until_now
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)

BOX, PHONE = "noor@mail.example.org", "+31612000045"
SERVICE = {"message_class": "service", "topic": "orders", "purpose": ""}


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


@pytest.fixture
def shop() -> WireSource:
    return shop_with_typo()


def shop_with_typo() -> WireSource:
    """Return a shop whose customer "typo" has an order, and the address of somebody else."""
    shop = WireSource("Shop", "server", ids="shop", addresses="stated")
    shop.identify(hours_until_now() - 3, "typo", email=BOX, phone=PHONE)
    shop.order(hours_until_now() - 2, "A-1", "typo")
    return shop


def queue(record: UUID | None, relation: str = "order:A-1", **fields) -> Message:
    now = timezone.now()
    times = dict.fromkeys(
        ("occurred_at", "not_before", "created_at", "state_at"), now - timedelta(minutes=1)
    )
    return arrange.message(
        Customer(pk=record),
        **{
            **SERVICE,
            "relation": relation,
            **times,
            "expires_at": now + timedelta(days=7),
            **fields,
        },
    )


def send(channel: str = "email", *, now: datetime | None = None) -> str:
    """Claim what is queued, and return the text of the message that may be sent, or nothing."""
    claimed = arrange.claim(channel=channel, now=now or timezone.now())
    return claimed.outgoing[0].text if claimed.outgoing else ""


def link_in(text: str) -> str:
    match = re.search(r"https?://\S+/n/\S+", text)
    return urlsplit(match[0]).path if match else ""


@pytest.fixture
def link(shop) -> str:
    """The path of the link in a message to the address of the typo."""
    queue(record_of(shop.account("typo")))
    return link_in(send())


def press(link: str, client: Client | None = None) -> int:
    """Open the page of a link, tick its box and press its button; return the status of the answer."""
    client = client or Client()
    return client.post(link, {"page": page_value(client, link), "sure": "yes"}).status_code


def page_value(client: Client, link: str) -> str:
    """Return the value that the page of a link signed, or nothing."""
    value = re.search(r'name="page" value="([^"]+)"', client.get(link).content.decode())
    return value[1] if value else ""


# The message -------------------------------------------------------------------------------


def test_service_message_to_an_unconfirmed_address_has_the_link(link):
    assert re.fullmatch(r"/n/[\w-]{38}/", link)


def test_sms_has_the_link_in_a_short_line(shop):
    queue(record_of(shop.account("typo")), channel="sms")

    line = send("sms").splitlines()[-1]

    assert line.startswith("Not mine? ")
    assert len(line) < 90


@pytest.mark.parametrize("proof", ["checked source", "code"])
def test_message_to_a_confirmed_address_has_no_link(shop, proof):
    if proof == "code":
        SignedIn(BOX)
    else:
        shop.identify(hours_until_now(), "typo", email=BOX, email_verified=True)
    queue(record_of(shop.account("typo")))

    assert (text := send())
    assert link_in(text) == ""


def test_offer_has_no_link_and_its_unsubscription_stays_the_one_click(shop):
    record = record_of(shop.account("typo"))
    arrange.record_statement(
        Customer(pk=record), "consent.given", "offers", occurred_at=timezone.now()
    )
    queue(record, relation="", message_class="marketing", topic="offers", purpose="offers")

    # Offers have quiet hours.
    tomorrow_noon = (timezone.now() + timedelta(days=1)).replace(hour=11)
    assert (text := send(now=tomorrow_noon))
    assert link_in(text) == ""


def test_headers_of_the_mail_do_not_name_the_link(shop, monkeypatch):
    message = queue(record_of(shop.account("typo")))
    claimed = arrange.claim(now=timezone.now())

    channel_message = deliveries._channel_message(
        claimed.outgoing[0], claimed, deliveries._MessageLinks(), {}
    )

    assert "/n/" not in channel_message.unsubscribe_url
    assert "/n/" in channel_message.text
    assert channel_message.id == message.pk


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Not mine?"), ("nl", "Niet voor mij?"), ("sv", "Inte min?"), ("da", "Ikke min?")],
)
def test_line_is_in_the_language_of_the_message(shop, language, words):
    shop.identify(hours_until_now() - 1, "typo", language=language)
    queue(record_of(shop.account("typo")))

    assert words in send()


# The effect of the button --------------------------------------------------------------------------


def test_button_takes_the_address_off_the_account(shop, link):
    assert press(link) == 200

    assert not are_one(email(BOX), shop.account("typo"))
    assert SignedIn(BOX).orders() == []
    decision = ManualDecision.objects.get()
    assert (decision.actor, decision.reason) == ("recipient", "Not mine")
    assert Event.objects.filter(name="Address Refused").count() == 1


def test_messages_that_are_queued_already_stop(shop, link):
    record = record_of(shop.account("typo"))
    waiting = [queue(record), queue(record, message_class="service_critical")]

    press(link)

    assert send() == ""
    assert {Message.objects.get(pk=row.pk).reason for row in waiting} <= {
        "no_address",
        "address_not_mine",
    }


def test_offers_of_the_account_do_not_go_to_the_address(shop, link):
    record = record_of(shop.account("typo"))
    arrange.record_statement(
        Customer(pk=record), "consent.given", "offers", occurred_at=timezone.now()
    )
    press(link)
    queue(record, relation="", message_class="marketing", topic="offers", purpose="offers")

    assert send() == ""


def test_repetitions_of_the_source_restore_nothing(shop, link):
    press(link)

    for hour in range(3):
        shop.identify(hours_until_now() + hour, "typo", email=BOX)
        shop.order(hours_until_now() + hour, f"B-{hour}", "typo", email=BOX)

    assert not are_one(email(BOX), shop.account("typo"))
    queue(record_of(shop.account("typo")), relation="order:B-2")
    assert send() == ""


def test_second_account_loses_the_mailbox_of_the_first_for_its_messages(shop):
    """The second account has no mailbox on its record, but its messages went to the mailbox."""
    shop.identify(hours_until_now() - 2, "second", email=BOX)
    shop.order(hours_until_now() - 1, "S-2", "second", email=BOX)
    record = record_of(shop.account("second"))
    queue(record, relation="order:S-2")
    press(link_in(send()))
    queue(record, relation="order:S-2")
    first = queue(record_of(shop.account("typo")))

    assert arrange.claim(now=timezone.now()).outgoing[0].message_id == first.pk
    assert AddressRefusal.objects.get().has_account


def test_address_of_a_guest_order_gets_no_more_messages_about_it(shop):
    shop.order(hours_until_now() - 1, "G-3", "", email="guest@mail.example.org")
    record = record_of(email("guest@mail.example.org"))
    queue(record, relation="order:G-3")
    press(link_in(send()))
    refused = queue(record, relation="order:G-3")

    assert send() == ""
    refused.refresh_from_db()
    assert refused.reason == "address_not_mine"


def test_later_order_of_the_holder_gets_its_messages(shop):
    shop.order(hours_until_now() - 1, "G-3", "", email="guest@mail.example.org")
    record = record_of(email("guest@mail.example.org"))
    queue(record, relation="order:G-3")
    press(link_in(send()))
    shop.order(hours_until_now(), "G-4", "", email="guest@mail.example.org")
    queue(record, relation="order:G-4")

    assert send() != ""


def test_proof_of_the_holder_ends_the_refusal_of_a_guest_order(shop):
    shop.order(hours_until_now() - 1, "G-3", "", email="guest@mail.example.org")
    record = record_of(email("guest@mail.example.org"))
    queue(record, relation="order:G-3")
    press(link_in(send()))
    SignedIn("guest@mail.example.org")
    queue(record, relation="order:G-3")

    assert (text := send())
    assert link_in(text) == ""


def test_phone_comes_off_the_account(shop):
    queue(record_of(shop.account("typo")), channel="sms")
    press(link_in(send("sms")))
    queue(record_of(shop.account("typo")), channel="sms")

    assert not are_one(("phone", PHONE), shop.account("typo"))
    assert send("sms") == ""
    assert are_one(email(BOX), shop.account("typo"))


def test_second_press_changes_nothing(shop, link):
    press(link)
    counts = ManualDecision.objects.count(), AddressRefusal.objects.count()

    assert press(link) == 200
    assert (ManualDecision.objects.count(), AddressRefusal.objects.count()) == counts
    assert SourceWarning.objects.get(code="address_not_mine").count == 1


def test_staff_undo_it(shop, link):
    press(link)
    decisions.undo_decision(
        decision_id=ManualDecision.objects.get().pk, actor="staff:Sam", now=timezone.now()
    )
    queue(record_of(shop.account("typo")))

    assert are_one(email(BOX), shop.account("typo"))
    assert link_in(send()) != ""


# The source ------------------------------------------------------------------------------------


def refusals(source: WireSource) -> list[dict]:
    client = WsgiClient(headers={"Authorization": f"Bearer {source.key}"})
    answer = client.get("/api/address-refusals/")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_source_is_told_and_reads_the_account_and_the_address(shop, link):
    other = WireSource("Other", "server", ids="other")
    press(link)

    warning = SourceWarning.objects.get(code="address_not_mine")
    assert (warning.source_id, warning.example) == (shop.source.pk, "Shop-1")
    [row] = refusals(shop)
    assert (row["kind"], row["address"], row["accounts"]) == ("email", BOX, ["typo"])
    read = AccessLogEntry.objects.filter(actor="source:Shop", what="addresses")
    customers = {record_of(email(BOX)), record_of(shop.account("typo"))}
    assert set(read.values_list("customer_id", flat=True)) == customers - {None}
    assert refusals(other) == []


def test_source_of_a_guest_order_is_told(shop):
    shop.order(hours_until_now() - 1, "G-3", "", email="guest@mail.example.org")
    queue(record_of(email("guest@mail.example.org")), relation="order:G-3")
    press(link_in(send()))

    assert SourceWarning.objects.get(code="address_not_mine").source_id == shop.source.pk
    assert [row["accounts"] for row in refusals(shop)] == [[]]


def test_refusal_in_a_session_tells_the_source_too(shop):
    shop.identify(hours_until_now() - 2, "second", email=BOX)
    session = SignedIn(BOX)
    for account in session.get("accounts/").json()["closed"]:
        session.post(f"accounts/{account['id']}/refuse/")

    assert SourceWarning.objects.get(code="address_not_mine").count == 2
    assert {row["accounts"][0] for row in refusals(shop)} == {"typo", "second"}


@pytest.mark.parametrize(("permissions", "status"), [((), 403), (("view_identifier",), 200)])
def test_colleague_reads_refused_addresses_only_with_the_right_to_see_addresses(
    shop, link, client, permissions, status
):
    press(link)
    colleague = User.objects.create_user("lin@staff.example.org", is_staff=True)
    rights = ("view_source", *permissions)
    colleague.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(colleague)

    answer = client.get("/api/address-refusals/")

    assert answer.status_code == status
    assert (BOX in answer.content.decode()) == (status == 200)
