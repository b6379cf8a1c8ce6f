import pytest

from customers import ingest, rebuild
from customers.actions.sources import create_source
from customers.models import Customer, Event, Order, QuarantinedItem, Trait
from tests import factories
from tests.factories import NOON, identify, incoming_event, order, owners, record

pytestmark = pytest.mark.django_db


def test_repeated_batch_stores_no_event_and_returns_the_versions():
    by = factories.sender()
    entered = incoming_event(("user_id", "noor"))
    first = record(entered, by=by)

    again = record(entered, by=by)

    assert [o.status for o in again.outcomes] == ["duplicate"]
    assert again.outcomes[0][1:3] == first.outcomes[0][1:3]
    assert Event.objects.count() == 1


def test_a_message_twice_in_one_batch_has_one_effect():
    entered = incoming_event(("user_id", "noor"))

    receipt = record(entered, entered)

    assert (receipt.accepted, receipt.duplicates) == (1, 1)


def test_same_message_id_with_other_content_is_quarantined():
    by = factories.sender()
    record(incoming_event(("user_id", "noor"), message_id="m1"), by=by)

    receipt = record(incoming_event(("user_id", "noor"), message_id="m1", name="Ride Left"), by=by)

    assert receipt.outcomes[0].status == "other_content"
    assert QuarantinedItem.objects.get().reason == "other_content"
    assert Event.objects.get().name == "Ride Entered"


def test_two_sources_may_use_the_same_message_id():
    first_event, second_event = (
        incoming_event(("user_id", "noor"), message_id="m1"),
        incoming_event(("user_id", "noor"), message_id="m1"),
    )

    receipts = [
        record(first_event, by=factories.sender()),
        record(second_event, by=factories.sender()),
    ]

    assert [receipt.accepted for receipt in receipts] == [1, 1]


def test_event_without_an_identifier_is_quarantined_alone():
    receipt = record(incoming_event(("user_id", "null")), incoming_event(("user_id", "noor")))

    assert [o.status for o in receipt.outcomes] == ["quarantined", "accepted"]
    assert QuarantinedItem.objects.get().reason == "no_identifier"


def test_versions_count_from_one_without_gaps():
    by = factories.sender()
    for _ in range(3):
        record(
            incoming_event(("user_id", "noor")),
            incoming_event(("user_id", "sem")),
            incoming_event(("user_id", "noor")),
            by=by,
        )

    customer = Customer.objects.get(identifiers__value__endswith="/noor")

    versions = Event.objects.filter(customer=customer).values_list("version", flat=True)
    assert sorted(versions) == list(range(1, 7))
    assert customer.version == 6


@pytest.mark.parametrize("size", [1, 200])
def test_batch_runs_a_fixed_number_of_statements(size, count_statements):
    users = [("user_id", f"guest-{number}") for number in range(size)]
    by = factories.sender()
    record(*[incoming_event(user) for user in users], by=by)

    with count_statements() as statements:
        record(*[incoming_event(user) for user in users], by=by)

    assert statements == ["resolve_identifiers", "append_events"]


def test_outdated_expected_version_stores_no_event():
    by = factories.sender()
    record(incoming_event(("user_id", "noor")), by=by)

    with pytest.raises(ingest.VersionMismatch) as mismatch:
        ingest.store_events(
            sender=by,
            events=[incoming_event(("user_id", "noor"))],
            received_at=NOON,
            expected_version=7,
        )

    assert mismatch.value.current == 1
    assert Event.objects.count() == 1


def test_latest_value_of_a_trait_holds_in_any_order_of_arrival():
    by = factories.sender()
    later = identify(("user_id", "noor"), at=NOON.replace(hour=13), city="Odense")
    record(later, by=by)

    record(identify(("user_id", "noor"), city="Malmö"), by=by)

    assert Trait.objects.get(name="city").value == "Odense"


def test_null_deletes_a_trait_and_an_empty_text_does_not():
    by = factories.sender()
    record(identify(("user_id", "noor"), city="Odense", nick="N"), by=by)

    record(identify(("user_id", "noor"), at=NOON.replace(hour=13), city=None, nick=""), by=by)

    assert dict(Trait.objects.values_list("name", "value")) == {"city": None, "nick": ""}


def test_claim_never_overwrites_a_verified_trait():
    device = ("anonymous_id", "phone-of-noor")
    record(identify(("user_id", "noor"), device, name="Noor"))

    record(
        identify(device, at=NOON.replace(hour=18), name="Mallory"),
        by=factories.sender(trusted=False),
    )

    assert Trait.objects.get(name="name").value == "Noor"


def test_order_is_on_the_record_of_its_customer():
    line = {"line_id": "1", "name": "Day ticket", "price": "42.50", "quantity": 2}

    receipt = record(order("A-1", ("user_id", "noor"), products=[line], currency="eur"))

    stored_order = Order.objects.get(number="A-1")
    assert owners(receipt) == [stored_order.customer_id]
    assert (str(stored_order.total), stored_order.currency, stored_order.status) == (
        "85.00",
        "EUR",
        "placed",
    )


def test_orders_come_out_the_same_in_any_order_of_arrival():
    noor = ("user_id", "noor")
    line = {"line_id": "1", "name": "Day ticket", "price": "42.50", "quantity": 2}
    placed = order("A-1", noor, products=[line])
    amended = order(
        "A-1", noor, name="Order Amended", at=NOON.replace(hour=13), visit_date="2027-05-01"
    )
    cancelled = order(
        "A-1", noor, name="Order Line Cancelled", at=NOON.replace(hour=14), line_id="1", quantity=1
    )
    by = factories.sender()

    record(cancelled, by=by)
    record(amended, by=by)
    record(placed, by=by)

    stored_order = Order.objects.get()
    assert (str(stored_order.total), str(stored_order.visit_date), stored_order.status) == (
        "42.50",
        "2027-05-01",
        "amended",
    )


@pytest.mark.django_db
def test_numbers_written_with_an_exponent_are_no_difference_for_a_rebuild(client):
    _, key = create_source(name="app", channel="app", is_secret=True, scopes=("ingest", "identify"))
    body = '{"type":"identify","userId":"noor","traits":{"ltv":1.5e3,"a":1.0,"b":{"c":[1e2]}}}'

    response = client.post(
        "/v1/identify",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )

    assert response.status_code == 200
    assert [rebuild.find_differences(ids) for ids in rebuild.live_ids()] == [[]]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ('{"a": 1500.0}', '{"a": 1500}', True),
        ('{"a": [1.0, 2]}', '{"a": [1, 2.0]}', True),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": 1.5}', '{"a": 1}', False),
        ('{"a": "1.0"}', '{"a": 1}', False),
    ],
)
def test_rows_are_compared_by_value(first, second, expected):
    assert rebuild._are_equal(first, second) is expected
