"""The projections read any valid JSON, and a fault affects only the faulty event."""

import itertools
import json
import sys
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import ingest, rebuild
from customers.models import Customer, Event, Order, QuarantinedItem
from customers.projections import order_lines, order_statements, registry
from customers.projections.projected_events import ProjectedEvent
from customers.projections.registry import Subject, Unfoldable
from customers.values import amounts
from customers.values.readings import Reading
from tests import factories, size
from tests.factories import NOON
from tests.odd_values import (
    FIELDS,
    LINE_FIELDS,
    ODD_NUMBERS,
    ODD_TEXTS,
    projected,
    properties,
    uniform,
)

NOOR = ("user_id", "noor")
TICKETS = {"line_id": "1", "price": "40.00", "quantity": 3}
ODD = [*ODD_TEXTS, *ODD_NUMBERS, None, True, [], [[[]]], {}, {"a": [1]}, [{"²": "²"}]]


def fact(name, properties, number=0):
    return ProjectedEvent(
        name, NOON + timedelta(hours=number), number, f"{number:032x}", 2, "web", "", 1, properties
    )


def folds():
    for kind in registry.ALL:
        yield kind, sorted(sys.modules[kind.fold.__module__].NAMES)


def one_field_each():
    for value, field in itertools.product(ODD, FIELDS):
        yield {field: value}
    for value, field in itertools.product(ODD, LINE_FIELDS):
        yield {"lines": [TICKETS | {field: value}], "line_id": "1"}
        yield {"products": [TICKETS | {field: value}]}
    yield from map(uniform, ODD)


@pytest.mark.parametrize("kind", registry.ALL, ids=lambda kind: kind.table)
def test_fold_reads_every_odd_value_in_every_field(kind):
    names = sorted(sys.modules[kind.fold.__module__].NAMES)
    for fact_properties in one_field_each():
        kind.fold(
            "call:1", [fact(name, fact_properties, number) for number, name in enumerate(names)]
        )
        # By itself, too: the events before it may have changed what it meets.
        for name in names:
            first = [fact("Order Completed", {"products": [TICKETS]})]
            kind.fold("call:1", [*first, fact(name, fact_properties, 1)])


@pytest.mark.long
@size.tries(150, long=3_000)
@given(st.lists(st.tuples(st.sampled_from(projected()), properties), max_size=8))
def test_fold_reads_generated_events_in_any_order(events):
    for kind, names in folds():
        facts = [
            fact(name, fact_properties, number)
            for number, ((name, _), fact_properties) in enumerate(events)
            if name in names
        ]
        state = kind.fold("call:1", facts)

        assert kind.fold("call:1", facts[::-1]) == state
        if state is not None and is_unicode(events):
            msgspec.json.encode(registry.as_row(state))


def is_unicode(events):
    """Tell whether UTF-8 can encode these events. No events with lone surrogates reach a fold."""
    try:
        json.dumps(events, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


# Faults of our own ---------------------------------------------------------------------


@pytest.fixture
def brittle(monkeypatch):
    """Read quantities as they once were read: int() fails on what isdigit() lets through."""

    def read_quantity(value):
        if isinstance(value, str) and value.isdigit():
            return Reading(int(value))
        return amounts.read_quantity(value)

    def begin():
        monkeypatch.setattr(order_lines, "read_quantity", read_quantity)

    return begin


def placed(number="A-1", hour=0, quantity="2", **fields):
    line = TICKETS | {"quantity": quantity}
    return factories.order(number, NOOR, at=at(hour), products=[line], **fields)


def cancelled(quantity, hour=1, number="A-1"):
    return factories.order(
        number, NOOR, name="Order Line Cancelled", at=at(hour), line_id="1", quantity=quantity
    )


def at(hour):
    return NOON + timedelta(hours=hour)


def order_of(number="A-1"):
    stored_order = Order.objects.get(number=number)
    return (
        stored_order.status,
        str(stored_order.total),
        [line["quantity"] for line in stored_order.lines],
    )


def test_facts_that_fail_are_skipped_and_named(brittle):
    brittle()
    facts = [
        fact("Order Completed", {"products": [TICKETS]}),
        fact("Order Line Cancelled", {"line_id": "1", "quantity": "²"}, 1),
        fact("Order Line Cancelled", {"line_id": "1", "quantity": "1"}, 2),
        fact("Order Amended", {"lines": [TICKETS | {"quantity": "③"}]}, 3),
        fact("Order Amended", {"visit_date": "2027-05-01"}, 4),
    ]
    subject = Subject(factories.uuid.uuid4(), "order:A-1")

    outcomes = set()
    for shuffled in itertools.permutations(facts):
        folded, skipped = registry.fold({subject: list(shuffled)})
        [(_, _, state)] = folded["orders"]
        outcomes.add(
            (
                msgspec.json.encode(state),
                tuple(skipped_fact.message_key for skipped_fact in skipped),
            )
        )

    assert len(outcomes) == 1
    assert [line.quantity for line in state.lines] == [2]
    assert str(state.visit_date) == "2027-05-01"
    assert [skipped_fact.message_key for skipped_fact in skipped] == [f"{1:032x}", f"{3:032x}"]
    assert {skipped_fact.fault.partition(" ")[0] for skipped_fact in skipped} == {"ValueError"}
    assert "²" not in skipped[0].fault


@pytest.mark.django_db
def test_event_that_cannot_be_folded_is_quarantined_and_neighbors_stored(brittle):
    brittle()
    bad = placed("A-1", quantity="²")

    receipt = factories.record(placed("A-2"), bad, placed("A-3"))

    assert [o.status for o in receipt.outcomes] == ["accepted", "quarantined", "accepted"]
    assert sorted(Order.objects.values_list("number", flat=True)) == ["A-2", "A-3"]
    apart = QuarantinedItem.objects.get()
    assert (apart.reason, bytes(apart.raw)) == ("unreadable", bad.body)
    assert apart.detail.startswith("ValueError in ")
    assert "²" not in apart.detail


@pytest.mark.django_db
def test_stored_cancellation_that_cannot_be_folded_spares_the_genuine_order(brittle):
    brittle()
    by = factories.sender()
    # Without its order no projection reads the quantity, so the event is stored.
    assert factories.record(cancelled("²"), by=by).accepted == 1

    receipt = factories.record(placed(), cancelled("1", hour=2), by=by)

    assert receipt.accepted == 2
    assert order_of() == ("amended", "40.00", [1])
    customer = Customer.objects.get(identifiers__value__endswith="/noor")
    compared = rebuild.report_differences([customer.pk])
    assert compared.differences == []
    assert [
        (skipped_fact.subject.about, skipped_fact.version) for skipped_fact in compared.skipped
    ] == [("order:A-1", 1)]


@pytest.mark.django_db
@pytest.mark.parametrize("arrival", list(itertools.permutations(range(3))))
def test_order_is_the_same_however_the_faulty_event_arrives(brittle, arrival):
    brittle()
    by = factories.sender()
    events = [placed(), cancelled("²"), cancelled("1", hour=2)]

    for place in arrival:
        factories.record(events[place], by=by)

    assert order_of() == ("amended", "40.00", [1])


@pytest.mark.django_db
def test_rebuild_skips_events_that_cannot_be_folded_and_keeps_the_others(brittle):
    factories.record(placed("A-1"), cancelled("²", number="A-1"), placed("A-2"))
    ids = list(Customer.objects.values_list("pk", flat=True))
    brittle()

    rebuilt = rebuild.rebuild_with_report(ids)

    assert [difference.what for difference in rebuilt.differences] == ["order A-1"]
    assert [skipped_fact.version for skipped_fact in rebuilt.skipped] == [2]
    assert rebuild.report_differences(ids).differences == []
    assert order_of("A-1") == order_of("A-2") == ("placed", "80.00", [2])


@pytest.mark.django_db
def test_record_that_cannot_be_rebuilt_is_named_and_costs_no_other(monkeypatch):
    factories.record(placed("A-1"))
    factories.record(factories.order("A-2", ("user_id", "sem"), name="Order Completed"))
    noor = Customer.objects.get(identifiers__value__endswith="/noor")
    sem = Customer.objects.get(identifiers__value__endswith="/sem")
    Order.objects.update(status="amended")
    line = order_lines.OrderLine("1", name="\x00")
    monkeypatch.setattr(order_statements, "line_from_document", lambda *fields, is_minor: line)

    rebuilt = rebuild.rebuild_with_report(sorted([noor.pk, sem.pk]))

    assert sorted(
        (difference.customer_id, difference.what) for difference in rebuilt.differences
    ) == sorted([(noor.pk, "record"), (sem.pk, "order A-2")])
    assert Order.objects.get(number="A-2").status == "placed"
    assert Order.objects.get(number="A-1").status == "amended"


@pytest.mark.django_db
def test_unfoldable_names_the_new_events_and_writes_no_row(brittle):
    receipt = factories.record(placed(), cancelled("²"))
    brittle()
    subject = Subject(receipt.outcomes[0].customer_id, "order:A-1")
    key = Event.objects.get(version=2).message_key.hex

    with pytest.raises(Unfoldable) as unfoldable:
        registry.project([subject], new_message_keys={key})

    assert unfoldable.value.faults.keys() == {key}


@pytest.mark.django_db
def test_expected_version_with_a_value_refused_by_postgres_stores_no_event():
    by = factories.sender()
    factories.record(factories.incoming_event(NOOR), by=by)
    poisoned = msgspec.structs.replace(factories.incoming_event(NOOR), name="a\x00b")

    receipt = ingest.store_events(
        sender=by,
        events=[factories.incoming_event(NOOR), poisoned],
        received_at=NOON,
        expected_version=1,
    )

    assert [o.status for o in receipt.outcomes] == ["quarantined", "quarantined"]
    assert Event.objects.count() == 1
    assert QuarantinedItem.objects.count() == 2
