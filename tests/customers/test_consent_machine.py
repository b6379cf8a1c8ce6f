"""Random statements, merges and separations, compared with a model in plain Python."""

from collections import defaultdict
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from customers import rebuild
from customers.identity import decisions
from customers.models import ConsentState, Customer, LedgerEntry
from tests import factories, size
from tests.customers import consent_helpers
from tests.customers.consent_helpers import say
from tests.factories import NOON

RECORDS = st.integers(0, 3)
PURPOSES = st.sampled_from(["offers", "surveys"])
# Few moments, so that statements often fall on the same one.
MOMENTS = st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes))
ANSWERS = {
    "give": consent_helpers.give,
    "withdraw": consent_helpers.withdraw,
    "refuse": consent_helpers.refuse,
}
# The model's own order of strictness.
STRICT = {"given": 0, "withdrawn": 1, "refused": 2, None: -1}
STATES = {"give": "given", "withdraw": "withdrawn", "refuse": "refused"}
LATER = NOON + timedelta(hours=1)


class ConsentMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        consent_helpers.house()
        self.author = consent_helpers.author()
        by = factories.sender()
        self.records = [factories.customer(("user_id", f"guest-{n}"), by=by).id for n in range(4)]
        # The statements on each record: subject -> [(moment, strictness, value)].
        self.statements = {record: defaultdict(list) for record in self.records}

    def teardown(self):
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    def members(self, record):
        live = Customer.objects.get(id=record)
        canonical = live.canonical_id or live.id
        return {
            canonical,
            *Customer.objects.filter(canonical=canonical).values_list("id", flat=True),
        }

    def add(self, at, subject, moment, strictness, value, record):
        for member in self.members(record):
            self.statements[member][subject].append((moment, strictness, value))
        assert at.customer_id in self.members(record)

    @rule(number=RECORDS, purpose=PURPOSES, answer=st.sampled_from(sorted(ANSWERS)), at=MOMENTS)
    def answers(self, number, purpose, answer, at):
        record = self.records[number]
        statement = ANSWERS[answer](purpose, occurred_at=at)
        receipt = say(record, statement, by=self.author, now=LATER)
        state = STATES[answer]
        self.add(receipt, ("consent", purpose), at, STRICT[state], state, record)

    @rule(number=RECORDS, is_made=st.booleans(), at=MOMENTS)
    def objects(self, number, is_made, at):
        record = self.records[number]
        kind = "objection.made" if is_made else "objection.lifted"
        statement = consent_helpers.ConsentStatement(kind=kind, subject="marketing", occurred_at=at)
        receipt = say(record, statement, by=self.author, now=LATER)
        self.add(receipt, ("objection", "marketing"), at, is_made, is_made, record)

    @rule(
        number=RECORDS,
        channel=st.sampled_from(["*", "email"]),
        topic=st.sampled_from(["*", "rides"]),
        value=st.sampled_from([True, False, None]),
        at=MOMENTS,
    )
    def prefers(self, number, channel, topic, value, at):
        record = self.records[number]
        kind = "preference.cleared" if value is None else "preference.set"
        scope = {"channel": channel, "topic": topic}
        statement = consent_helpers.ConsentStatement(
            kind=kind, subject="allow", value=value, occurred_at=at, **scope
        )
        receipt = say(record, statement, by=self.author, now=LATER)
        strictness = {True: 0, None: 1, False: 2}[value]
        self.add(receipt, ("allow", channel, topic), at, strictness, value, record)

    @rule(
        first=RECORDS,
        second=RECORDS,
        act=st.sampled_from([decisions.merge_records, decisions.separate_records]),
    )
    def staff_merge_or_separate(self, first, second, act):
        if first != second:
            act(self.records[first], self.records[second], actor="staff:lin", now=LATER)

    @rule(first=RECORDS, second=RECORDS)
    def staff_merge_two_records_by_mistake(self, first, second):
        """A merge allows nothing that one of the two records forbids; its undo restores both."""
        first, second = self.records[first], self.records[second]
        if len(self.members(first)) > 1 or len(self.members(second)) > 1 or first == second:
            return
        before = self.picture()
        apart = [self.granted(record) for record in (first, second)]
        denied = [self.refused(record) for record in (first, second)]

        decisions.merge_records(first, second, actor="staff:lin", now=LATER)
        assert self.granted(first) == self.granted(second)
        assert self.granted(first) <= (apart[0] | apart[1]) - denied[0] - denied[1]
        decisions.separate_records(first, second, actor="staff:lin", now=LATER)

        assert self.picture() == before

    def picture(self):
        return list(ConsentState.objects.order_by("customer").values())

    def granted(self, record):
        live = Customer.objects.get(id=record)
        consent_state = ConsentState.objects.filter(customer=live.canonical_id or live.id).first()
        return set(consent_state.granted) if consent_state else set()

    def refused(self, record):
        last = {
            subject: max(statements)[2] for subject, statements in self.statements[record].items()
        }
        return {m[1] for m, value in last.items() if value in ("refused", "withdrawn")}

    @invariant()
    def state_has_the_strictest_of_the_last_statements_of_each_record(self):
        for live in Customer.objects.live():
            consent_state = ConsentState.objects.filter(customer=live).first()
            last = [
                {
                    subject: max(statements)[2]
                    for subject, statements in self.statements[member].items()
                }
                for member in self.members(live.id)
            ]
            state = (
                consent_state.state
                if consent_state
                else {"consents": {}, "objections": {}, "settings": []}
            )
            for purpose in ("offers", "surveys"):
                consent_states = [statements.get(("consent", purpose)) for statements in last]
                expected = max(consent_states, key=STRICT.__getitem__)
                assert state["consents"].get(purpose, {}).get("state") == expected
            objects = any(statements.get(("objection", "marketing")) for statements in last)
            assert ("marketing" in state["objections"]) is objects
            settings = {(s["channel"], s["topic"]): s["value"] for s in state["settings"]}
            for channel in ("email", "sms"):
                for topic in ("rides", "visits"):
                    assert allows(settings, channel, topic) == strictest(
                        allows(scopes(statements), channel, topic) for statements in last
                    )

    @invariant()
    def every_record_is_what_its_log_and_ledger_amount_to(self):
        for ids in rebuild.live_ids():
            assert rebuild.find_differences(ids) == []

    @invariant()
    def every_chain_counts_from_one(self):
        for record in self.records:
            chain = LedgerEntry.objects.filter(record=record).order_by("seq")
            assert list(chain.values_list("seq", flat=True)) == [*range(1, len(chain) + 1)]


def scopes(last):
    return {
        subject[1:]: value
        for subject, value in last.items()
        if subject[0] == "allow" and value is not None
    }


def strictest(answers):
    answers = [answer for answer in answers if answer is not None]
    return min(answers) if answers else None


def allows(settings, channel, topic):
    """The most specific wins; of two that are as specific, the stricter."""
    for some in (
        [(channel, topic)],
        [(channel, "*"), ("*", topic)],
        [("*", "*")],
    ):
        if answers := [settings[scope] for scope in some if scope in settings]:
            return min(answers)
    return None


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.django_db
def test_consent_state_holds_after_any_actions():
    run_state_machine_as_test(
        ConsentMachine,
        settings=settings(
            max_examples=size.examples(30, long=1_500),
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
