"""Everything that can happen to who is who, in any order, against a model in plain Python."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from customers import rebuild
from customers.identity import merging
from customers.identity.grouping import ORDER, group
from customers.models import Customer, Event, Identifier, Order, Trait
from customers.types import VERIFIED
from tests import factories, size
from tests.customers.graph import everything, misplaced_orders
from tests.factories import NOON, identify, incoming_event, order, record

PEOPLE = st.sampled_from([("user_id", "noor"), ("user_id", "sam"), ("user_id", "lin")])
DEVICES = st.sampled_from([("anonymous_id", "phone"), ("anonymous_id", "laptop")])
ADDRESSES = st.sampled_from(
    [("email", "noor@example.com"), ("email", "family@example.com"), ("card", "C-1")]
)


class Identities(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        source = factories.source()
        self.server = factories.sender(source)
        self.shop = factories.sender()
        self.page = factories.sender(source, trusted=False)
        self.sent = []
        self.clock = NOON

    def teardown(self):
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    def send(self, event, by):
        self.clock += timedelta(seconds=1)
        self.sent.append((event, by))
        record(event, by=by, at=self.clock)

    @rule(device=DEVICES)
    def browses(self, device):
        self.send(incoming_event(device, at=self.clock), self.page)

    @rule(device=DEVICES, person=PEOPLE, address=ADDRESSES)
    def claims_to_be(self, device, person, address):
        self.send(identify(device, person, address, at=self.clock, name="claimed"), self.page)

    @rule(person=PEOPLE, device=DEVICES)
    def signs_in(self, person, device):
        self.send(identify(person, device, at=self.clock, name=person[1]), self.server)

    @rule(person=PEOPLE, address=ADDRESSES)
    def proves(self, person, address):
        self.send(incoming_event(person, address, at=self.clock), self.server)

    @rule(person=PEOPLE | ADDRESSES, number=st.sampled_from(["A-1", "A-2"]))
    def orders(self, person, number):
        self.send(order(number, person, ("order", number), at=self.clock), self.server)

    @rule(
        number=st.sampled_from(["A-1", "A-2"]),
        person=PEOPLE | ADDRESSES | DEVICES,
        name=st.sampled_from(["Order Completed", "Order Amended", "Ticket Scanned"]),
        by=st.sampled_from(["server", "shop", "page"]),
    )
    def says_something_of_an_order(self, number, person, name, by):
        event = order(number, person, ("order", number), name=name, at=self.clock)
        self.send(event, getattr(self, by))

    @rule(
        number=st.sampled_from(["A-1", "A-2"]),
        name=st.sampled_from(["Order Refunded", "Order Cancelled", "Ticket Scanned"]),
        by=st.sampled_from(["server", "shop", "page"]),
    )
    def names_an_order_alone(self, number, name, by):
        self.send(order(number, ("order", number), name=name, at=self.clock), getattr(self, by))

    @rule(number=st.sampled_from(["A-1", "A-2"]), person=PEOPLE)
    def sends_a_batch(self, number, person):
        """Strangers, a new order, and an event that names the order alone, all at once."""
        batch = [
            incoming_event(("order", number)),
            order(number, person, ("order", number)),
            incoming_event(person),
        ]
        record(*batch, by=self.server, at=self.clock)

    @rule(address=ADDRESSES)
    def is_seen_by_address_only(self, address):
        self.send(order("A-1", address, at=self.clock, total="5.00"), self.server)

    @rule(choices=st.data())
    def repeats(self, choices):
        if self.sent:
            event, by = choices.draw(st.sampled_from(self.sent))
            record(event, by=by, at=self.clock)

    @rule(choices=st.data(), kind=st.sampled_from([merging.merge, merging.separate]))
    def a_person_says_so(self, choices, kind):
        filed = sorted(
            Identifier.objects.filter(record__isnull=False).values_list("record_id", flat=True)
        )
        if len(filed) > 1:
            first = choices.draw(st.sampled_from(filed))
            second = choices.draw(st.sampled_from([record for record in filed if record != first]))
            kind(first, second, actor="staff:lin", now=self.clock)

    @invariant()
    def every_record_is_what_its_log_amounts_to(self):
        for ids in rebuild.live_ids():
            assert rebuild.find_differences(ids) == []

    @invariant()
    def the_groups_are_those_of_all_links_at_once(self):
        """Step by step comes to the same as everything at once: order does not matter."""
        atoms, ties = everything()
        owner = dict(Identifier.objects.values_list("id", "customer_id"))

        groups = group(atoms, ties).groups
        orders = {atom.id for atom in atoms if atom.kind == ORDER}
        for members in groups:
            assert len({owner[member] for member in members}) == 1
        drawn = [
            min(members) for members in groups if owner[min(members)] and not members <= orders
        ]
        assert len({owner[identifier_id] for identifier_id in drawn}) == len(drawn)
        assert misplaced_orders() == []

    @invariant()
    def a_claim_never_stands_where_a_proof_was_given(self):
        for trait in Trait.objects.filter(name="name", value="claimed"):
            proofs = Event.objects.filter(
                customer=trait.customer, kind="identify", evidence=VERIFIED
            )
            assert not proofs.filter(origin__isnull=True).exists()

    @invariant()
    def an_order_is_on_exactly_one_live_record_per_group(self):
        for stored_order in Order.objects.all():
            assert Customer.objects.live().filter(id=stored_order.customer_id).exists()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.django_db
def test_identity_invariants_hold_after_any_actions():
    run_state_machine_as_test(
        Identities,
        settings=settings(
            max_examples=size.examples(40, long=2_000),
            stateful_step_count=20,
            deadline=None,
            # Making a failing story shorter takes minutes; this one runs at every push.
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
