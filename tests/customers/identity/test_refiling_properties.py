"""Re-filings in any order can be undone, and the last one of each event counts."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.models import RefiledEvent
from tests import factories
from tests.customers.identity.test_refiling import (
    LIN,
    NOOR,
    SAM,
    all_facts,
    assert_sound,
    placed,
    refile,
    refilings,
    undo,
)
from tests.factories import NOON


class Properties(TestCase):
    """Re-filings in any order, on three customers with orders and traits."""

    def setUp(self):
        self.people = [NOOR, SAM, LIN]
        customers = [factories.customer(person, name=person[1]) for person in self.people]
        self.ids = [customer.pk for customer in customers]
        self.events = [
            placed(f"A-{n}", self.people[n % 3], at=NOON + timedelta(hours=n)) for n in range(4)
        ]

    places = st.sets(st.integers(0, 3), min_size=1)
    targets = st.sampled_from([NOOR, SAM, LIN])

    @settings(max_examples=15)
    @given(places=places, target=targets)
    def test_undo_of_a_refiling_restores_all_records(self, places, target):
        before = all_facts()
        events = [self.events[number] for number in places]

        refile(*events, to=target)
        assert_sound()
        undo(*events)

        assert all_facts() == before
        assert not RefiledEvent.objects.exists()
        assert_sound()

    @settings(max_examples=15)
    @given(first=st.tuples(places, targets), second=st.tuples(places, targets))
    def test_undo_takes_only_the_last_refiling_out(self, first, second):
        refile(*[self.events[number] for number in first[0]], to=first[1])
        before, rows = all_facts(), refilings()

        moved = refile(*[self.events[number] for number in second[0]], to=second[1])
        undo(*[move.place for move in moved])

        assert (all_facts(), refilings()) == (before, rows)
        assert_sound()

    @settings(max_examples=15)
    @given(first=st.tuples(places, targets), second=st.tuples(places, targets))
    def test_the_last_refiling_of_each_event_counts(self, first, second):
        for places, target in (first, second):
            refile(*[self.events[number] for number in places], to=target)
        step_by_step = all_facts()
        undo(*self.events)

        for number, event in enumerate(self.events):
            for places, target in (second, first):
                if number in places:
                    refile(event, to=target)
                    break

        assert all_facts() == step_by_step
        assert_sound()
