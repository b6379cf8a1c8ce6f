"""Random events about identity in any order, compared with the pure grouping."""

import itertools
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction
from django.test import TestCase
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec import structs

from customers import rebuild
from customers.actions import erasure
from customers.events import internal_sources
from customers.identity import decisions, known_identifiers
from customers.identity.identifier_keys import stored_account
from customers.identity.resolution import stored_identifier
from customers.models import Customer, Event, Identifier, ManualDecision, Order, Space, Trait
from customers.types import VERIFIED
from tests import factories, size
from tests.customers.graph import misplaced_identifiers, misplaced_orders, spanning_groups
from tests.factories import NOON, identify, incoming_event, order, record

NUMBERS = st.sampled_from([("user_id", "1"), ("user_id", "2"), ("external:crm", "9")])
MAILBOXES = st.sampled_from([("email", f"{name}@example.com") for name in ("noor", "sam", "info")])
ATTACHED = st.sampled_from([("card", "C1"), ("phone", "+31612300456"), ("phone", "+31612300457")])
DEVICES = st.sampled_from([("anonymous_id", "phone"), ("anonymous_id", "laptop")])
ORDERS = st.sampled_from(["A-1", "A-2"])
SOURCES = st.sampled_from(
    ["app", "checked app", "site of the app", "shop", "other shop", "till", "contracts"]
)


class Identities(RuleBasedStateMachine):
    sequences = 0

    def __init__(self):
        super().__init__()
        Identities.sequences += 1
        self.world = transaction.atomic()
        self.world.__enter__()
        own, _ = Space.objects.get_or_create(name="machine: app")
        several, _ = Space.objects.get_or_create(
            name="machine: contracts", defaults={"ids_per_person": "several"}
        )
        self.senders = {
            "app": factories.space_sender(own),
            "site of the app": factories.space_sender(own),
            "checked app": factories.space_sender(own, addresses="checked"),
            "shop": factories.sender(),
            "other shop": factories.sender(),
            "till": factories.space_sender(own, channel="till"),
            "contracts": factories.space_sender(several),
        }
        self.page = factories.sender(trusted=False)
        self.sent = []
        self.caches = [{}, {}]
        self.clock = NOON

    def teardown(self):
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    def send(self, event, by):
        self.clock += timedelta(seconds=1)
        self.sent.append((event, by))
        self.store(event, by=by)

    def store(self, *events, by):
        """Store events in one of two processes, which take turns. Each has a cache of its own."""
        self.caches.reverse()
        with (
            patch.object(known_identifiers, "_caches", self.caches[0]),
            TestCase.captureOnCommitCallbacks(execute=True),
        ):
            record(*events, by=by, at=self.clock)

    def moment(self, late):
        """A time for an event: now, or as if it had come late."""
        return self.clock - timedelta(minutes=late)

    @rule(
        source=SOURCES,
        people=st.lists(
            NUMBERS | MAILBOXES | ATTACHED | DEVICES, min_size=1, max_size=3, unique=True
        ),
        late=st.sampled_from([0, 0, 0, 5, 600]),
        name=st.sampled_from(["Noor", "Sam"]),
    )
    def a_source_states(self, source, people, late, name):
        event = identify(*people, at=self.moment(late), name=name)
        self.send(event, self.senders[source])

    @rule(source=SOURCES, number=NUMBERS, mailbox=MAILBOXES, late=st.sampled_from([0, 0, 5]))
    def a_source_states_an_address(self, source, number, mailbox, late):
        self.send(identify(number, mailbox, at=self.moment(late)), self.senders[source])

    @rule(choices=st.data(), mailbox=MAILBOXES, late=st.sampled_from([0, 0, 0, 5]))
    def a_customer_proves_an_account_and_a_mailbox(self, choices, mailbox, late):
        """The event is Butler's own, and names the number with its source.

        Nobody signs in to a number that a till typed.
        """
        accounts = Identifier.objects.filter(kind="user_id", evidence=VERIFIED).order_by("id")
        accounts = accounts.exclude(value__startswith=f"{self.senders['till'].source_id}/")
        if accounts:
            account = choices.draw(st.sampled_from(list(accounts)))
            number = stored_identifier(account.kind, account.value)
            event = identify(number, mailbox, at=self.moment(late), email_verified=True)
            self.send(event, internal_sources.BUTLER)

    @rule(
        source=SOURCES,
        people=st.lists(
            NUMBERS | MAILBOXES | ATTACHED | DEVICES, min_size=1, max_size=3, unique=True
        ),
    )
    def something_happens(self, source, people):
        self.send(incoming_event(*people, at=self.clock), self.senders[source])

    @rule(device=DEVICES, people=st.lists(NUMBERS | MAILBOXES, max_size=2, unique=True))
    def a_page_claims(self, device, people):
        self.send(identify(device, *people, at=self.clock, name="claimed"), self.page)

    @rule(
        source=st.sampled_from(["app", "site of the app", "contracts"]),
        customer=st.sampled_from(["1", "2", "noor@example.com"]),
        device=DEVICES,
        people=st.lists(NUMBERS | MAILBOXES | ATTACHED, max_size=2, unique=True),
        late=st.integers(0, 90),
    )
    def a_signed_in_app_sends(self, source, customer, device, people, late):
        """An event with a customer token, which also claims other people."""
        page = structs.replace(self.senders[source], is_trusted=False)
        event = identify(device, *people, at=self.moment(late), name="claimed")
        proved = stored_account(customer, page)
        self.send(structs.replace(event, proved_identifier=proved), page)

    @rule(people=st.lists(NUMBERS | MAILBOXES, min_size=1, max_size=2, unique=True))
    def a_form_claims(self, people):
        self.send(identify(*people, at=self.clock, name="claimed"), self.page)

    @rule(
        source=SOURCES,
        number=ORDERS,
        person=NUMBERS | MAILBOXES | DEVICES,
        name=st.sampled_from(
            ["Order Completed", "Order Completed", "Order Amended", "Ticket Scanned"]
        ),
    )
    def an_order(self, source, number, person, name):
        event = order(number, person, ("order", number), name=name, at=self.clock)
        self.send(event, self.senders[source])

    @rule(source=SOURCES, number=ORDERS)
    def names_an_order_alone(self, source, number):
        event = order(number, ("order", number), name="Order Refunded", at=self.clock)
        self.send(event, self.senders[source])

    @rule(source=SOURCES, people=st.lists(NUMBERS | MAILBOXES, min_size=2, max_size=4))
    def sends_a_batch(self, source, people):
        events = [
            identify(first, second, at=self.clock) for first, second in itertools.pairwise(people)
        ]
        self.clock += timedelta(seconds=1)
        self.store(*events, by=self.senders[source])

    @rule(choices=st.data())
    def repeats(self, choices):
        if self.sent:
            event, by = choices.draw(st.sampled_from(self.sent))
            self.store(event, by=by)

    @rule(choices=st.data(), kind=st.sampled_from(["merge", "separate"]))
    def a_person_decides(self, choices, kind):
        ids = list(
            Identifier.objects.filter(evidence=VERIFIED)
            .exclude(kind="order")
            .order_by("id")
            .values_list("id", flat=True)
        )
        if len(ids) > 1:
            first = choices.draw(st.sampled_from(ids))
            second = choices.draw(st.sampled_from([id_ for id_ in ids if id_ != first]))
            self.clock += timedelta(seconds=1)
            decisions.decide(kind, first, second, actor="staff:lin", now=self.clock)

    @rule(
        choices=st.data(),
        kind=st.sampled_from([decisions.merge_records, decisions.separate_records]),
    )
    def a_person_merges_or_separates_records(self, choices, kind):
        records = Identifier.objects.filter(record__isnull=False).order_by("id")
        filed = list(records.values_list("record_id", flat=True))
        if len(filed) > 1:
            first = choices.draw(st.sampled_from(filed))
            second = choices.draw(st.sampled_from([record for record in filed if record != first]))
            self.clock += timedelta(seconds=1)
            kind(first, second, actor="staff:lin", now=self.clock)

    @rule(choices=st.data())
    def a_decision_is_undone(self, choices):
        active = ManualDecision.objects.filter(undone_at__isnull=True).order_by("id")
        if ids := list(active.values_list("id", flat=True)):
            self.clock += timedelta(seconds=1)
            decisions.undo_decision(
                decision_id=choices.draw(st.sampled_from(ids)), actor="staff:lin", now=self.clock
            )

    @rule(choices=st.data())
    def a_customer_is_erased(self, choices):
        identifiers = Identifier.objects.filter(customer__isnull=False, erasure=None)
        records = list(identifiers.order_by("id").values_list("customer_id", flat=True))
        if records:
            self.clock += timedelta(seconds=1)
            record_id = choices.draw(st.sampled_from(records))
            erasure.erase(customer_id=record_id, reason="asked", actor="staff:pia", now=self.clock)
            self.clock += timedelta(seconds=1)

    @rule(mailbox=MAILBOXES)
    def a_customer_proves_an_address(self, mailbox):
        self.send(identify(mailbox, at=self.clock), internal_sources.BUTLER)
        Identifier.objects.filter(kind="email", value=mailbox[1], erasure=None).update(
            proved_at=self.clock
        )

    @invariant()
    def nothing_of_an_erased_record_joins_what_comes_later(self):
        assert spanning_groups() == []

    @invariant()
    def each_record_is_what_its_log_amounts_to(self):
        for ids in rebuild.live_ids():
            assert rebuild.find_differences(ids) == []

    @invariant()
    def the_records_are_those_of_all_links_at_once(self):
        """Step by step comes to the same as everything at once: order does not matter."""
        assert misplaced_identifiers() == []
        assert misplaced_orders() == []

    @invariant()
    def a_claim_never_stands_where_a_source_stated_something(self):
        for trait in Trait.objects.filter(name="name", value="claimed"):
            stated = Event.objects.filter(
                customer=trait.customer, kind="identify", evidence=VERIFIED
            )
            assert not stated.filter(origin__isnull=True, body__traits__has_key="name").exists()

    @invariant()
    def an_order_is_on_live_records_only(self):
        for stored_order in Order.objects.all():
            assert Customer.objects.live().filter(id=stored_order.customer_id).exists()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.django_db
def test_identity_invariants_hold_after_any_actions():
    run_state_machine_as_test(
        Identities,
        settings=settings(
            max_examples=size.examples(15, long=2_000),
            stateful_step_count=size.examples(20, long=30),
            deadline=None,
            # Making a failing story shorter takes minutes; this one runs at every push.
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"\n{Identities.sequences:,} sequences of actions about who is who")
