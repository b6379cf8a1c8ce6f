"""Messages to an address that a desk noted with an order: it receives, and opens nothing."""

from datetime import timedelta
from itertools import product

import pytest

from butler.decisions.bulk import denial_codes
from customers.actions import sign_in, sign_in_codes
from customers.identity import decisions
from customers.models import Customer, Identifier, Suppression
from tests import factories
from tests.butler import arrange
from tests.butler.arrange import NOON, claim

pytestmark = pytest.mark.django_db(transaction=True)

BOX = ("email", "noor@example.com")
PHONE = ("phone", "+31612345678")
ORDERED_AT = NOON - timedelta(days=2)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


@pytest.fixture
def desk():
    return factories.sender(factories.source("Desk", "desk"))


def ordered(desk, number, *identifiers, at=ORDERED_AT, name="Order Completed", **facts):
    """Store an order that the desk took for these identifiers; return its customer."""
    facts = {"visit_date": f"{NOON:%Y-%m-%d}"} | facts
    event = factories.order(number, *identifiers, ("order", number), name=name, at=at, **facts)
    ingested = factories.record(event, by=desk, at=at)
    return Customer.objects.get(id=ingested.outcomes[0].customer_id)


def receivers(customer, channel="email", relation="order:D-1", **fields):
    """Return the addresses to which a message about an order leaves."""
    fields = {"message_class": "service", "topic": "orders"} | fields
    arrange.message(customer, relation=relation, channel=channel, **fields)
    return [outgoing.address for outgoing in claim(channel=channel).outgoing]


@pytest.mark.parametrize(
    ("address", "channel"), [pytest.param(BOX, "email"), pytest.param(PHONE, "sms")]
)
def test_address_noted_with_an_order_gets_messages_about_it(desk, address, channel):
    customer = ordered(desk, "D-1", ("user_id", "7"), address)

    assert receivers(customer, channel) == [address[1]]
    assert Identifier.objects.get(kind=address[0]).customer_id is None


def test_address_noted_with_an_order_gets_no_message_about_another_order(desk):
    ordered(desk, "D-1", ("user_id", "7"), BOX)
    customer = ordered(desk, "D-2", ("user_id", "7"))

    assert receivers(customer, relation="order:D-2") == []


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"message_class": "legal_duty"}, id="legal duty"),
        pytest.param(
            {"message_class": "marketing", "topic": "offers", "purpose": "offers"}, id="ad"
        ),
    ],
)
def test_noted_address_gets_only_messages_about_the_order(desk, fields):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    arrange.record_statement(customer, "consent.given", "offers")

    assert receivers(customer, **fields) == []


def test_address_of_the_record_goes_before_a_noted_one():
    app = factories.sender(factories.source("App"))
    customer = factories.customer(("user_id", "7"), ("email", "own@example.com"), by=app)
    ordered(app, "D-1", ("user_id", "7"), BOX)

    assert receivers(customer) == ["own@example.com"]


def test_noted_mailbox_of_another_customer_gets_nothing(desk):
    factories.customer(("user_id", "noor"), BOX)
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)

    assert receivers(customer) == []


def test_noted_mailbox_gets_nothing_once_somebody_else_has_proved_it(desk):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    code = sign_in_codes.issue_code(email=BOX[1], network="192.0.2.1", now=NOON)
    sign_in.verify_code(handle=code.handle, code=code.code, language="en", now=NOON)

    assert Identifier.objects.get(kind="email").customer_id != customer.id
    assert receivers(customer) == []


def test_noted_mailbox_opens_nothing(desk):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    code = sign_in_codes.issue_code(email=BOX[1], network="192.0.2.1", now=NOON)

    user = sign_in.verify_code(handle=code.handle, code=code.code, language="en", now=NOON)

    assert user.record_id != customer.id
    assert not user.record.order_set.exists()


def test_order_that_names_only_an_address_is_on_the_mailbox_and_gets_its_messages(desk):
    customer = ordered(desk, "D-1", BOX)

    assert receivers(customer) == [BOX[1]]
    assert Identifier.objects.get(kind="email").customer_id == customer.id


def test_latest_noted_address_of_an_order_counts(desk):
    ordered(desk, "D-1", ("user_id", "7"), ("email", "typo@example.com"))
    later = factories.order(
        "D-1",
        *(("user_id", "7"), BOX, ("order", "D-1")),
        name="Order Amended",
        at=ORDERED_AT + timedelta(hours=1),
    )
    ingested = factories.record(later, by=desk)
    customer = Customer.objects.get(id=ingested.outcomes[0].customer_id)

    assert receivers(customer) == [BOX[1]]


def test_earlier_noted_address_does_not_stand_in_for_that_of_another_customer(desk):
    factories.customer(("user_id", "noor"), BOX)
    ordered(desk, "D-1", ("user_id", "7"), ("email", "typo@example.com"))
    later = ORDERED_AT + timedelta(hours=1)
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX, at=later)

    assert receivers(customer) == []


LATER = ORDERED_AT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        *product(("partner", "till"), ("Order Updated", "Order Amended")),
        # An app that owns the space of the desk moves an order by an update, but not by these.
        *product(("partner", "till", "app"), ("Order Cancelled", "Order Refunded")),
    ],
)
def test_another_source_notes_no_address_with_an_order(desk, channel, name):
    other = factories.sender(factories.source("Other", channel))
    customer = ordered(desk, "D-1", ("user_id", "7"))

    assert ordered(other, "D-1", BOX, name=name, at=LATER) == customer
    assert receivers(customer) == []


def test_payer_of_a_refund_gets_no_message_about_the_order(desk):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    payer = ("email", "payer@example.com")

    assert ordered(desk, "D-1", payer, name="Order Refunded", at=LATER) == customer
    assert receivers(customer) == [BOX[1]]


def test_address_of_a_separated_customer_gets_no_message_about_an_order_of_that_number(desk):
    shop = factories.sender(factories.source("Shop", "site"))
    first = ordered(desk, "D-1", ("user_id", "7"))
    second = factories.customer(("user_id", "8"), by=shop)
    ends = Identifier.objects.filter(kind="user_id").order_by("id").values_list("id", flat=True)
    merge = decisions.decide("merge", *ends, actor="staff:lin", now=ORDERED_AT)
    ordered(shop, "D-1", ("user_id", "8"), BOX, at=LATER)
    decisions.undo_decision(decision_id=merge.pk, actor="staff:lin", now=LATER)

    assert receivers(first) == []
    assert receivers(second) == [BOX[1]]


def test_suppressed_noted_address_gets_nothing(desk):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    Suppression.objects.create(channel="email", address=BOX[1], reason="bounced", since=NOON)

    assert receivers(customer) == []


def test_claim_of_a_page_notes_no_address():
    page = factories.sender(factories.source("Page", "site"), trusted=False)
    customer = ordered(page, "D-1", ("anonymous_id", "browser"), BOX)

    assert receivers(customer) == []


def test_message_to_many_leaves_customers_with_a_noted_address_to_the_decision(desk):
    customer = ordered(desk, "D-1", ("user_id", "7"), BOX)
    stranger = factories.customer(("user_id", "8"), by=desk)

    [batch] = denial_codes(
        [customer.id, stranger.id],
        message_class="service",
        topic="orders",
        channel="email",
        expires_at=NOON + timedelta(days=1),
    )

    assert batch == [(customer.id, ""), (stranger.id, "no_address")]
