"""The events of a placeholder move in a time that grows with their number, not with its square."""

from collections import Counter
from uuid import UUID

import pytest

from customers.identity import refiling
from customers.models import Identifier, RefiledEvent
from customers.projections import registry
from tests import factories, size
from tests.factories import NOON, identify, incoming_event, record

pytestmark = pytest.mark.django_db

BATCH = 500


def desk_events(count):
    """Store events of a number that stands for everybody, ten for each guest."""
    for first in range(0, count, BATCH):
        record(
            *(
                incoming_event(("user_id", "desk"), ("email", f"guest-{number // 10}@example.com"))
                for number in range(first, first + BATCH)
            )
        )
    return Identifier.objects.get(kind="user_id", value__endswith="desk")


def test_each_record_is_computed_once_however_many_batches_move(monkeypatch):
    count = size.examples(500, long=20_000)
    desk = desk_events(count)
    computed: Counter[UUID] = Counter()
    rebuild = registry.rebuild

    def count_records(records):
        computed.update(records)
        return rebuild(records)

    monkeypatch.setattr(registry, "rebuild", count_records)
    monkeypatch.setattr(refiling, "BATCH_SIZE", count // 15)
    moved = refiling.refile_all([desk.pk], reason="placeholder", actor="", now=NOON)

    assert len(moved) == RefiledEvent.objects.count() == count
    assert set(computed.values()) == {1}
    assert len(computed) == count // 10 + 1


def state_often(names):
    """State each of these numbers with six mailboxes, in one batch; return its statements."""
    return [
        identify(("user_id", name), ("email", f"{name}-{place}@example.com"))
        for name in names
        for place in range(6)
    ]


def test_placeholders_of_one_batch_are_refiled_with_as_many_statements_as_one(count_statements):
    by = factories.sender()
    with count_statements() as few:
        record(*state_often(["desk"]), by=by)
    with count_statements() as many:
        record(*state_often(["reception", "walkin", "till"]), by=by)

    assert RefiledEvent.objects.filter(reason="placeholder").count() == 24
    assert len(many) == len(few)
