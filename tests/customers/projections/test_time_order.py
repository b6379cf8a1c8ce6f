"""All folds have one order of time: the time of the event, its arrival, its place in the batch."""

import sys
import uuid
from datetime import timedelta

import msgspec
import pgtrigger
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import ingest, rebuild
from customers.models import Customer, Event, Order, PartyMember, Trait
from customers.projections import orders, parties, registry
from customers.projections.projected_events import ProjectedEvent, counted_events
from customers.projections.traits import TraitStatement, weightiest
from tests import factories
from tests.factories import NOON, incoming_event
from tests.odd_values import projected, properties
from tests.size import tries

NOOR = ("user_id", "noor")
SECOND = timedelta(seconds=1)
# The message keys of the two ids sort in one of these orders and not in the other.
both_orders_of_keys = pytest.mark.parametrize("ids", [("m1", "m2"), ("m2", "m1")])


def fact(name, number, fact_properties, *, at=NOON, arrival=None):
    """Event number N. The higher its number, the lower is its message key."""
    arrival = number if arrival is None else arrival
    key = f"{10_000 - number:032x}"
    return ProjectedEvent(name, at, arrival, key, 2, "web", "", 1, fact_properties)


@tries(150, long=2_000)
@given(
    st.lists(st.tuples(st.sampled_from(projected()), properties), max_size=8).flatmap(
        lambda events: st.tuples(st.just(events), st.permutations(range(len(events))))
    )
)
def test_arrival_of_events_with_distinct_times_never_changes_the_state(drawn):
    events, arrivals = drawn
    for projection in registry.ALL:
        names = sys.modules[projection.fold.__module__].NAMES
        facts = [
            fact(name, number, fact_properties, at=NOON + number * SECOND)
            for number, ((name, _), fact_properties) in enumerate(events)
            if name in names
        ]
        rearranged = [
            msgspec.structs.replace(event, arrival=arrivals[event.arrival]) for event in facts
        ]

        assert projection.fold("call:1", rearranged[::-1]) == projection.fold("call:1", facts)


@given(st.permutations([fact("", number, {}) for number in range(6)]))
def test_events_of_the_same_time_are_sorted_by_arrival_and_not_by_message_key(shuffled):
    assert [event.arrival for event in counted_events(shuffled)] == [0, 1, 2, 3, 4, 5]


def test_later_arrival_of_the_same_time_holds_in_each_fold():
    amended = [
        fact("Order Completed", 0, {"visit_date": "2027-05-01"}),
        fact("Order Amended", 1, {"visit_date": "2027-05-02"}),
        fact("Order Amended", 2, {"visit_date": "2027-05-03"}),
    ]
    changed = [
        fact("Party Member Changed", 0, {"name": "Sem"}),
        fact("Party Member Changed", 1, {"name": "Semmy"}),
    ]

    assert str(orders.fold("A-1", amended[::-1]).visit_date) == "2027-05-03"
    assert parties.fold("sem", changed[::-1]).name == "Semmy"


def identify(city, message_id, at=NOON):
    return incoming_event(
        NOOR, kind="identify", message_id=message_id, traits={"city": city}, at=at
    )


def city():
    return Trait.objects.get(name="city").value


def differences():
    return rebuild.find_differences(list(Customer.objects.values_list("pk", flat=True)))


@pytest.mark.django_db
@both_orders_of_keys
def test_second_of_two_statements_in_a_batch_holds(ids):
    factories.record(identify("Gent", ids[0]), identify("Odense", ids[1]))

    assert city() == "Odense"
    assert differences() == []


@pytest.mark.django_db
@both_orders_of_keys
def test_statement_that_arrives_later_holds(ids):
    by = factories.sender()

    factories.record(identify("Gent", ids[0]), by=by, at=NOON + SECOND)
    factories.record(identify("Odense", ids[1]), by=by, at=NOON + 2 * SECOND)

    assert city() == "Odense"
    assert differences() == []


@pytest.mark.django_db
@both_orders_of_keys
def test_statement_that_is_stored_late_but_arrived_before_does_not_hold(ids):
    by = factories.sender()
    factories.record(identify("Odense", ids[0]), by=by, at=NOON + 2 * SECOND)

    factories.record(identify("Gent", ids[1]), by=by, at=NOON + SECOND)

    assert city() == "Odense"
    assert differences() == []


@pytest.mark.django_db
@both_orders_of_keys
def test_late_statement_of_an_earlier_time_does_not_hold(ids):
    by = factories.sender()
    factories.record(identify("Odense", ids[0]), by=by, at=NOON + SECOND)

    factories.record(identify("Gent", ids[1], NOON - SECOND), by=by, at=NOON + 2 * SECOND)

    assert city() == "Odense"
    assert differences() == []


@pytest.mark.django_db
@both_orders_of_keys
def test_repeated_statements_change_nothing(ids):
    by = factories.sender()
    events = [identify("Gent", ids[0]), identify("Odense", ids[1])]
    factories.record(*events, by=by)
    stored = list(Trait.objects.values())

    factories.record(*events[::-1], by=by, at=NOON + 5 * SECOND)
    factories.record(events[0], by=by, at=NOON + 6 * SECOND)

    assert list(Trait.objects.values()) == stored
    assert differences() == []


@pytest.mark.django_db
def test_claim_that_arrives_later_does_not_hold():
    of = factories.source()
    factories.record(identify("Odense", "m1"), by=factories.sender(of))
    noor = Customer.objects.get()
    claim = registry.TraitStatement(
        noor.pk, "city", "Gent", 1, of.pk, NOON + SECOND, 2**62, f"{0:032x}"
    )

    registry.store_traits([claim])

    assert city() == "Odense"


@pytest.mark.django_db
@both_orders_of_keys
def test_second_of_two_changes_of_an_order_in_a_batch_holds(ids):
    def amended(day, message_id):
        return incoming_event(
            NOOR,
            name="Order Amended",
            message_id=message_id,
            about="order:A-1",
            properties={"visit_date": day},
        )

    by = factories.sender()
    factories.record(factories.order("A-1", NOOR, at=NOON - SECOND), by=by)

    factories.record(amended("2027-05-01", ids[0]), amended("2027-05-02", ids[1]), by=by)

    assert str(Order.objects.get().visit_date) == "2027-05-02"
    assert differences() == []


@pytest.fixture
def older_statement():
    """A statement from before arrival numbers: neither its event nor its trait has one."""
    by = factories.sender()
    factories.record(identify("Odense", "m1"), by=by, at=NOON + 2 * SECOND)
    with pgtrigger.ignore("customers.Event:event_is_never_changed"):
        Event.objects.update(arrival=None)
    Trait.objects.update(arrival=None)
    return by


@pytest.mark.django_db
def test_trait_without_an_arrival_number_equals_the_rebuilt_one(older_statement):
    assert differences() == []

    rebuild.rebuild(list(Customer.objects.values_list("pk", flat=True)))

    assert Trait.objects.get().arrival is not None
    assert differences() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("received_at", "expected"), [(NOON + SECOND, "Odense"), (NOON + 3 * SECOND, "Gent")]
)
@pytest.mark.parametrize("message_id", ["m0", "m2", "m3", "m4"])
def test_trait_without_an_arrival_number_has_the_number_of_its_event(
    older_statement, message_id, received_at, expected
):
    ingest.store_events(
        sender=older_statement, events=[identify("Gent", message_id)], received_at=received_at
    )

    assert city() == expected
    assert differences() == []


# Histories of each fold, and of traits ---------------------------------------------------

MILLISECOND = timedelta(milliseconds=1)
# Short histories in which several events have one time.
histories = st.lists(
    st.tuples(st.sampled_from(projected()), properties, st.integers(0, 2)), max_size=7
)


@tries(200, long=60_000)
@given(histories, st.randoms(use_true_random=False))
def test_order_of_delivery_to_a_fold_never_changes_the_state(history, random):
    for projection in registry.ALL:
        names = sys.modules[projection.fold.__module__].NAMES
        facts = [
            fact(name, number, fact_properties, at=NOON + moment * MILLISECOND)
            for number, ((name, _), fact_properties, moment) in enumerate(history)
            if name in names
        ]
        delivered = random.sample(facts, len(facts))

        assert projection.fold("call:1", delivered) == projection.fold("call:1", facts)


values_of_time = st.lists(st.tuples(st.integers(0, 2), st.integers()), min_size=1, max_size=8)


@tries(200, long=60_000)
@given(values_of_time, st.randoms(use_true_random=False))
def test_last_statement_of_the_latest_time_is_the_trait(stated, random):
    customer = uuid.uuid4()
    statements = [
        TraitStatement(
            customer_id=customer,
            name="newsletter",
            value=value,
            evidence=2,
            source_id=1,
            occurred_at=NOON + moment * MILLISECOND,
            arrival=place,
            message_key=f"{10_000 - place:032x}",
        )
        for place, (moment, value) in enumerate(stated)
    ]
    latest = max(moment for moment, _ in stated)

    [trait] = weightiest(random.sample(statements, len(statements)))

    assert trait.value == [value for moment, value in stated if moment == latest][-1]


def party(name, message_id, /, **fields):
    return incoming_event(
        NOOR,
        name=name,
        message_id=message_id,
        about="member:sem",
        properties={"reference": "sem", **fields},
    )


CHANGED = ("Party Member Changed", {"name": "Sem"})
REMOVED = ("Party Member Removed", {})


@pytest.mark.django_db
@pytest.mark.parametrize(("events", "count"), [((CHANGED, REMOVED), 0), ((REMOVED, CHANGED), 1)])
@both_orders_of_keys
def test_last_of_two_events_of_a_member_in_a_batch_holds(events, count, ids):
    batch = [party(name, id_, **fields) for (name, fields), id_ in zip(events, ids, strict=True)]

    factories.record(*batch)

    assert PartyMember.objects.count() == count
    assert differences() == []


@pytest.mark.django_db
@pytest.mark.parametrize("answers", [(True, False), (False, True)])
@both_orders_of_keys
def test_last_answer_in_a_batch_holds(answers, ids):
    factories.record(
        *(
            incoming_event(NOOR, kind="identify", message_id=id_, traits={"newsletter": answer})
            for answer, id_ in zip(answers, ids, strict=True)
        )
    )

    assert Trait.objects.get(name="newsletter").value is answers[1]
    assert differences() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "status"),
    [
        (("Order Completed", "Order Cancelled"), "cancelled"),
        (("Order Cancelled", "Order Completed"), "placed"),
    ],
)
@both_orders_of_keys
def test_last_of_two_events_of_an_order_in_a_batch_holds(names, status, ids):
    factories.record(
        *(
            incoming_event(NOOR, name=name, about="order:A-1", message_id=id_)
            for name, id_ in zip(names, ids, strict=True)
        )
    )

    assert Order.objects.get().status == status
    assert differences() == []
