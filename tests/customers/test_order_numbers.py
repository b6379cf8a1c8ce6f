"""An order number joins nobody: it finds an order of its source, or the only one there is."""

import itertools
from datetime import timedelta

import pytest
from django.utils.module_loading import import_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import rebuild
from customers.identity import decisions, lookup
from customers.models import Customer, Event, Identifier, Link, Order, Review
from customers.types import NOTED
from tests import factories, size
from tests.customers.old_schema import old_column_names
from tests.factories import NOON, identify, order, record

pytestmark = pytest.mark.django_db

NOOR, SAM = ("email", "noor@example.com"), ("email", "sam@example.com")
NUMBER = ("order", "1001")
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def shop():
    return factories.sender()


@pytest.fixture
def desk():
    return factories.sender()


def order_event(name, *identifiers, at=NOON, **facts):
    return order("1001", *identifiers, NUMBER, name=name, at=at, **facts)


def owner_of(email):
    return Identifier.objects.get(kind="email", value=email[1]).customer_id


def statuses():
    """The status of order 1001, by the record that it is on."""
    return dict(
        Order.objects.filter(number__startswith="1001").values_list("customer_id", "status")
    )


def is_sound():
    return all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


def test_two_sources_with_one_number_stay_two_customers(shop, desk):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=desk)

    assert owner_of(NOOR) != owner_of(SAM)
    assert statuses() == {owner_of(NOOR): "placed", owner_of(SAM): "placed"}
    assert not Customer.objects.filter(canonical__isnull=False).exists()
    assert not Review.objects.exists()


def test_two_emails_with_one_number_in_one_source_stay_two_customers(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM, at=LATER), by=shop)

    assert owner_of(NOOR) != owner_of(SAM)
    assert statuses() == {owner_of(NOOR): "placed", owner_of(SAM): "placed"}
    assert Identifier.objects.get(kind="order").is_shared


def test_number_alone_changes_neither_of_two_orders_of_one_source(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=shop)

    record(order_event("Order Refunded", at=LATER), by=shop)

    assert statuses()[owner_of(NOOR)] == statuses()[owner_of(SAM)] == "placed"
    assert is_sound()


def test_amended_email_moves_the_order_and_merges_no_records(shop):
    record(identify(SAM), by=shop)
    record(order_event("Order Completed", NOOR, visit_date="2027-05-01"), by=shop)

    record(order_event("Order Amended", SAM, at=LATER, visit_date="2027-05-02"), by=shop)

    assert owner_of(NOOR) != owner_of(SAM)
    [stored_order] = Order.objects.all()
    assert (stored_order.customer_id, str(stored_order.visit_date)) == (
        owner_of(SAM),
        "2027-05-02",
    )


def test_early_change_with_another_customer_waits_for_its_order(shop):
    record(identify(SAM), by=shop)
    record(order_event("Order Cancelled", SAM, at=LATER), by=shop)
    record(order_event("Order Completed", NOOR), by=shop)

    assert statuses() == {owner_of(NOOR): "cancelled"}
    assert owner_of(NOOR) != owner_of(SAM)
    assert is_sound()


@pytest.mark.parametrize("name", ["Order Refunded", "Order Cancelled"])
def test_number_alone_reaches_the_order_of_its_source(shop, name):
    record(order_event("Order Completed", NOOR), by=shop)

    record(order_event(name, at=LATER), by=shop)

    assert list(statuses().values()) == [{"Order Refunded": "refunded"}.get(name, "cancelled")]
    assert owner_of(NOOR) in statuses()


def test_number_alone_that_comes_first_is_adopted_when_its_source_places_the_order(shop):
    record(order_event("Order Cancelled", at=LATER), by=shop)
    record(order_event("Order Completed", NOOR), by=shop)

    assert statuses() == {owner_of(NOOR): "cancelled"}
    assert is_sound()


def test_another_source_finds_the_only_order_with_the_number(shop, desk):
    record(order_event("Order Completed", NOOR), by=shop)

    record(order_event("Order Refunded", at=LATER), by=desk)

    assert statuses() == {owner_of(NOOR): "refunded"}
    assert Link.objects.filter(source_id=desk.source_id).count() == 0


def test_another_source_means_none_of_two_orders_with_the_number(shop, desk):
    gate = factories.sender()
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=desk)

    record(order_event("Order Refunded", at=LATER), by=gate)

    assert statuses()[owner_of(NOOR)] == statuses()[owner_of(SAM)] == "placed"


def test_event_of_another_source_with_a_customer_moves_no_order(shop, desk):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Ticket Scanned", SAM, at=LATER), by=desk)

    record(order_event("Order Refunded", at=LATER), by=shop)

    assert owner_of(NOOR) != owner_of(SAM)
    assert statuses() == {owner_of(NOOR): "refunded"}


def test_scan_with_a_card_does_not_move_the_order(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Ticket Scanned", ("card", "C-1"), at=LATER), by=shop)

    assert Identifier.objects.get(kind="order").customer_id == owner_of(NOOR)
    assert Identifier.objects.get(kind="card").customer_id != owner_of(NOOR)


def test_claimed_number_finds_no_order_and_merges_no_records(shop):
    page = factories.sender(factories.source(), trusted=False)
    record(order_event("Order Completed", NOOR), by=shop)
    own = factories.sender(trusted=False, of=None)

    for by in (page, own):
        record(order_event("Order Cancelled", at=LATER), by=by)
        record(
            order_event("Order Cancelled", ("anonymous_id", f"b-{by.source_id}"), at=LATER), by=by
        )

    assert statuses()[owner_of(NOOR)] == "placed"
    browsers = Identifier.objects.filter(kind="anonymous_id")
    assert len(set(browsers.values_list("customer_id", flat=True))) == 2
    assert not Link.objects.filter(evidence=1).exists()
    assert not Review.objects.exists()


def test_order_follows_its_customer_when_records_join(shop):
    record(identify(("user_id", "noor")), by=shop)
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Cancelled", at=LATER), by=shop)

    record(identify(("user_id", "noor"), NOOR), by=shop)

    assert statuses() == {owner_of(NOOR): "cancelled"}
    assert Identifier.objects.get(kind="order").customer_id == owner_of(NOOR)


def test_merged_customers_with_one_order_number_have_one_order(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM, at=LATER), by=shop)

    ends = Identifier.objects.filter(kind="email").values_list("pk", flat=True)
    decisions.decide("merge", *ends, actor="staff:lin", now=LATER, reason="one person")

    assert owner_of(NOOR) == owner_of(SAM)
    identifier = Identifier.objects.get(kind="order")
    assert (identifier.customer_id, identifier.is_shared) == (owner_of(NOOR), False)


def test_number_at_the_till_means_an_order_of_the_till_first(shop, desk):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=desk)

    def matches(source_id):
        return {match.id for match in lookup.find_matches("order", "1001", source_id=source_id)}

    assert matches(shop.source_id) == {owner_of(NOOR)}
    assert matches(desk.source_id) == {owner_of(SAM)}
    assert matches(None) == {owner_of(NOOR), owner_of(SAM)}


EVENTS = [
    ("shop", "Order Completed", (NOOR,), 0),
    ("shop", "Order Refunded", (), 3),
    ("shop", "Ticket Scanned", (("card", "C-1"),), 2),
    ("shop", "identify", (("user_id", "noor"), NOOR), 1),
    ("shop", "Order Completed", (SAM,), 4),
    ("desk", "Order Completed", (("phone", "+46701740605"),), 1),
    ("page", "Order Cancelled", (("anonymous_id", "b-1"),), 5),
]
# Changes that name somebody else, of one order that one customer placed.
CHANGES = [
    ("shop", "Order Completed", (NOOR,), 0),
    ("shop", "Order Amended", (SAM,), 2),
    ("shop", "Order Updated", (("user_id", "lin"),), 3),
    ("shop", "Ticket Scanned", (SAM,), 3),
    ("shop", "identify", (SAM,), 1),
    ("desk", "Ticket Scanned", (SAM,), 4),
    ("shop", "Order Cancelled", (SAM,), 5),
]


def play(events, senders):
    """Record these events; return who is with whom, and what became of the orders."""
    for by, name, identifiers, hour in events:
        at = NOON + timedelta(hours=hour)
        if name == "identify":
            record(identify(*identifiers, at=at), by=senders[by], at=NOON + timedelta(days=1))
        else:
            event = order_event(name, *identifiers, at=at)
            record(event, by=senders[by], at=NOON + timedelta(days=1))
    assert is_sound()
    together = {}
    for identifier in Identifier.objects.all():
        name = identifier.value.replace(f"{senders['shop'].source_id}/", "shop/")
        name = name.replace(f"{senders['desk'].source_id}/", "desk/")
        together.setdefault(identifier.customer_id, set()).add((identifier.kind, name))
    orders = {
        (
            frozenset(together.get(stored_order.customer_id, ())),
            stored_order.number,
            stored_order.status,
        )
        for stored_order in Order.objects.all()
    }
    return {frozenset(names) for names in together.values()}, orders


@pytest.mark.long
@settings(
    max_examples=size.examples(40, long=1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(draw=st.data())
@pytest.mark.parametrize("history", [EVENTS, CHANGES], ids=["many customers", "changes"])
def test_every_order_of_arrival_gives_the_same_records(django_db_blocker, history, draw):
    from django.db import transaction

    events = draw.draw(st.permutations(history))
    missing = draw.draw(st.sets(st.sampled_from(range(len(history)))))
    chosen = [event for index, event in enumerate(history) if index not in missing]
    outcomes = []
    for arrival in (chosen, [event for event in events if event in chosen]):
        with transaction.atomic():
            senders = {name: factories.sender() for name in ("shop", "desk")}
            senders["page"] = factories.sender(trusted=False)
            outcomes.append(play(arrival, senders))
            transaction.set_rollback(True)

    assert outcomes[0] == outcomes[1]


def test_migration_gives_each_number_to_its_first_source(shop, desk):
    """The identifiers as they were before: one for each number, whatever its source."""
    record(order_event("Order Completed", NOOR), by=shop)
    record(order("7", ("order", "7"), name="Order Refunded"), by=desk)
    Link.objects.filter(kind="placed").update(kind="seen", evidence=2)
    for identifier in Identifier.objects.filter(kind="order"):
        identifier.value = identifier.value.partition("/")[2]
        identifier.save()

    from django.db import connection

    migration = import_string("customers.migrations.0014_orders_by_source._BY_SOURCE")
    with old_column_names(), connection.cursor() as cursor:
        cursor.execute(migration)

    values = set(Identifier.objects.filter(kind="order").values_list("value", flat=True))
    assert values == {f"{shop.source_id}/1001", f"{desk.source_id}/7"}
    assert Link.objects.get().kind == "placed"
    Link.objects.update(evidence=NOTED)
    record(order_event("Order Cancelled", at=LATER), by=shop)
    assert statuses() == {owner_of(NOOR): "cancelled"}
    assert Event.objects.count() == 3
    assert list(itertools.chain(*rebuild.live_ids()))


@pytest.mark.django_db
def test_order_of_another_source_follows_an_order_that_a_browser_placed():
    shop, app = factories.sender(), factories.sender()
    record(order("A-1", ("anonymous_id", "laptop"), ("order", "A-1")), by=shop)

    record(order("A-1", ("anonymous_id", "phone"), ("order", "A-1"), name="Order Amended"), by=app)

    owners = Identifier.objects.filter(kind="order").values_list("customer_id", "is_shared")
    assert len(set(owners)) == 1
    assert owners[0][0] is not None


def test_cancellation_by_another_source_stays_when_a_third_source_sells_its_own_order(shop, desk):
    till = factories.sender()
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Cancelled", NOOR, at=LATER), by=desk)
    record(order_event("Order Completed", SAM, at=LATER), by=till)

    assert statuses() == {owner_of(NOOR): "cancelled", owner_of(SAM): "placed"}
    assert is_sound()


def test_change_by_another_source_means_the_order_of_the_customer_that_it_names(shop, desk):
    till = factories.sender()
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=till)
    record(order_event("Order Cancelled", NOOR, at=LATER), by=desk)

    assert statuses() == {owner_of(NOOR): "cancelled", owner_of(SAM): "placed"}


def test_order_that_a_till_sells_to_nobody_it_knows_changes_no_order_of_a_shop(shop):
    till = factories.sender(factories.source(is_shared=True))
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", ("anonymous_id", "kassa-2"), at=LATER), by=till)

    assert statuses()[owner_of(NOOR)] == "placed"
    assert Order.objects.filter(number="1001").count() == 2


def test_reused_number_in_one_batch_leaves_each_change_with_the_customer_it_names(shop):
    record(
        order_event("Order Completed", NOOR),
        order_event("Order Cancelled", NOOR, at=LATER),
        order_event("Order Completed", SAM, at=LATER),
        by=shop,
    )

    assert statuses() == {owner_of(NOOR): "cancelled", owner_of(SAM): "placed"}


def test_change_of_a_reused_number_gives_a_third_customer_no_order(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=shop)
    record(order_event("Order Amended", ("user_id", "lin"), at=LATER, total="20.00"), by=shop)

    lin = Identifier.objects.get(kind="user_id", value__endswith="/lin").customer_id
    assert lin not in statuses()
    assert {statuses()[owner_of(NOOR)], statuses()[owner_of(SAM)]} == {"placed"}
    assert is_sound()
