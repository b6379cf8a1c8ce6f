from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from butler.decisions import inputs
from butler.decisions.relations import WITHOUT_DATE, OrderFact, relations
from tests import factories

PLACED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_unreadable_facts_of_one_customer_affect_no_other(monkeypatch):
    noor = factories.customer(("email", "noor@example.com"))
    sem = factories.customer(("email", "sem@example.com"), birth_date="2001-02-03")
    is_of_age = inputs.is_of_age

    def broken(born, country, today):
        if born:
            raise OverflowError
        return is_of_age(born, country, today)

    monkeypatch.setattr(inputs, "is_of_age", broken)

    assert inputs.read_facts([noor.pk, sem.pk], now=factories.NOON).keys() == {noor.pk}


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York"])
@pytest.mark.parametrize("day", [date.min, date.max])
def test_visit_at_an_end_of_the_calendar_counts_as_without_a_date(zone, day):
    order = OrderFact("A-1", "placed", PLACED, PLACED, day)

    relations_by_key = relations([order], [], ZoneInfo(zone))

    assert relations_by_key.keys() == {"order:A-1"}
    assert relations_by_key["order:A-1"].until == PLACED + WITHOUT_DATE


@pytest.mark.parametrize(
    ("numbers", "evidence"),
    [
        (["1001·2"], {"order:1001": "order:1001·2", "order:1001·2": "order:1001·2"}),
        (["1001", "1001·2"], {"order:1001": "order:1001", "order:1001·2": "order:1001·2"}),
        (["1001·2027"], {"order:1001·2027": "order:1001·2027"}),
    ],
)
def test_event_about_a_number_finds_an_order_that_shows_its_place(numbers, evidence):
    orders = [OrderFact(number, "placed", PLACED, PLACED, None) for number in numbers]

    by_name = relations(orders, [], ZoneInfo("UTC"))

    assert {name: relation.evidence for name, relation in by_name.items()} == evidence
