"""The dispatch gate: an allowed message leaves once; a denied one stays, with its reason."""

from datetime import timedelta

import pytest
from django.db import connection

from butler import failpoints
from butler.actions import withdrawal
from butler.models import BudgetUse, Decision, Delivery, Message, PauseSwitch, StaffTask
from customers.consent.statements import ConsentStatement
from customers.models import Suppression
from tests import factories
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON, claim, guest_who_consented

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def test_consented_message_is_claimed_with_its_address_and_content():
    guest = guest_who_consented(email="noor@example.com")
    message = arrange.message(guest)

    claimed = claim()

    (leaving,) = claimed.outgoing
    assert (leaving.message_id, leaving.address) == (message.id, "noor@example.com")
    assert leaving.subject == "For you"
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sending", 1)
    delivery = Delivery.objects.get()
    guest.refresh_from_db()
    assert (delivery.message_id, delivery.outcome) == (message.id, "")
    assert delivery.customer_version == guest.version
    assert Decision.objects.get(message_id=message.id).outcome == "send"


def test_message_without_consent_is_suppressed_with_its_reason():
    message = arrange.message(arrange.guest())

    assert claim().outgoing == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("suppressed", "no_consent")
    decision = Decision.objects.get(message_id=message.id)
    assert (decision.outcome, decision.code, decision.stage) == ("skip", "no_consent", "claim")
    assert not Delivery.objects.exists()


def test_withdrawal_between_decision_and_claim_stops_the_message():
    guest = guest_who_consented()
    message = arrange.message(guest)
    arrange.record_statement(
        guest, "consent.withdrawn", "offers", occurred_at=NOON - timedelta(minutes=5)
    )

    assert claim().outgoing == []

    message.refresh_from_db()
    assert message.reason == "consent_withdrawn"


def test_claims_send_no_more_messages_than_the_budget_allows():
    guest = guest_who_consented()
    arrange.record_statement(
        guest, "preference.set", "budget", {"most": 1, "per": "day"}, channel="email"
    )
    for _ in range(3):
        arrange.message(guest)

    assert len(claim().outgoing) == 1

    assert BudgetUse.objects.get(scope="email:*").used == 1
    waiting = Message.objects.filter(state="queued")
    assert {message.reason for message in waiting} == {"budget_used"}
    assert all(message.not_before > NOON for message in waiting)


def test_message_to_a_bounced_address_is_suppressed():
    guest = guest_who_consented(email="gone@example.com")
    Suppression.objects.create(
        channel="email", address="gone@example.com", reason="bounced", since=NOON
    )
    message = arrange.message(guest)

    assert claim().outgoing == []

    message.refresh_from_db()
    assert message.reason == "address_bounced"


def test_message_to_a_claimed_address_is_suppressed():
    mere = factories.customer(
        ("user_id", "somebody"),
        ("email", "victim@example.com"),
        by=factories.sender(trusted=False),
        email="victim@example.com",
    )
    message = arrange.message(mere, message_class="legal_duty", topic="orders")

    assert claim().outgoing == []

    message.refresh_from_db()
    assert message.reason == "no_address"


def test_message_after_its_expiry_is_expired():
    message = arrange.message(guest_who_consented(), expires_at=NOON - timedelta(seconds=1))

    assert claim().outgoing == []

    message.refresh_from_db()
    assert message.state == "expired"


def test_service_message_needs_a_live_relation():
    guest = arrange.guest()
    relation = arrange.order(guest)
    fields = {"message_class": "service", "topic": "orders"}
    real = arrange.message(guest, relation=relation, **fields)
    made_up = arrange.message(guest, relation="order:NOT-THERE", **fields)
    none = arrange.message(guest, **fields)

    assert [outgoing.message_id for outgoing in claim().outgoing] == [real.id]
    for message in (made_up, none):
        message.refresh_from_db()
        assert (message.state, message.reason) == ("suppressed", "no_relation")


@pytest.mark.parametrize("key", ["*", "visit-reminder"])
def test_engaged_switch_stops_the_next_claim(key):
    guest = guest_who_consented()
    PauseSwitch.objects.create(key=key, engaged_at=NOON, engaged_by="lin")
    message = arrange.message(guest, automation_id="visit-reminder")

    assert claim().outgoing == []

    message.refresh_from_db()
    assert message.reason == "pause_switch"


def test_quiet_hours_defer_a_message_and_use_no_budget():
    guest = guest_who_consented(timezone="Europe/Amsterdam")
    arrange.record_statement(
        guest, "preference.set", "quiet_hours", {"from": "11:00", "to": "13:00"}
    )
    arrange.record_statement(guest, "preference.set", "budget", {"most": 1, "per": "day"})
    message = arrange.message(guest)

    assert claim().outgoing == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("queued", "quiet_hours")
    assert message.not_before == NOON + timedelta(hours=1)
    assert not BudgetUse.objects.exists()


def test_customer_who_now_prefers_a_person_gets_a_staff_task():
    guest = arrange.guest()
    arrange.record_statement(guest, "consent.given", "birthdays")
    fields = {"message_class": "relationship", "topic": "birthdays", "purpose": "birthdays"}
    message = arrange.message(guest, **fields, automation_id="birthday")
    arrange.record_statement(guest, "preference.set", "person_first", True)

    assert claim().outgoing == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("suppressed", "person_first")
    task = StaffTask.objects.get(customer_id=guest.id)
    assert (task.title, task.body) == ("For you", "An afternoon at Larkmoor.")
    assert (task.kind, task.due_at) == ("phone", NOON + timedelta(hours=1))
    assert task.automation_id == message.automation_id
    assert Decision.objects.get(message_id=message.id).outcome == "person"


def test_claim_runs_as_many_statements_for_one_message_as_for_many(count_statements):
    def counted(many):
        for _ in range(many):
            arrange.message(guest_who_consented())
        with count_statements() as statements:
            assert len(claim(limit=50).outgoing) == many
        # The rules are kept for a second and read through the ORM.
        return [name for name in statements if " " not in name]

    assert counted(1) == counted(20)


def test_crash_before_the_commit_of_a_claim_changes_no_row():
    guest = guest_who_consented()
    message = arrange.message(guest)

    class Crash(BaseException):
        pass

    def crash(name):
        raise Crash

    failpoints.set_hook(crash)
    try:
        with pytest.raises(Crash):
            claim()
    finally:
        failpoints.set_hook(None)

    message.refresh_from_db()
    assert message.state == "queued"
    assert not Delivery.objects.exists()
    assert not BudgetUse.objects.exists()
    assert len(claim().outgoing) == 1


def test_withdrawal_waits_for_the_delivery_in_flight_and_returns_its_message():
    guest = guest_who_consented()
    message = arrange.message(guest)
    (leaving,) = claim(lease=0.6).outgoing
    words = [
        ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})
    ]

    statement_result = withdrawal.record_statements(
        customer_id=guest.id, statements=words, author=AUTHOR, now=NOON
    )

    # No delivery result was stored, so the wait ended with the lease.
    assert [sent_message.message_id for sent_message in statement_result.sent_messages] == [
        message.id
    ]
    assert statement_result.sent_messages[0].state == "sending"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_until <= clock_timestamp() FROM butler_delivery WHERE id = %s",
            [leaving.delivery_id],
        )
        assert cursor.fetchone() == (True,)


def test_claim_takes_the_highest_priority_then_the_longest_waiting_message():
    late, early = (
        arrange.message(guest_who_consented(), not_before=NOON - timedelta(minutes=ago))
        for ago in (5, 9)
    )
    urgent = arrange.message(guest_who_consented(), priority=1, not_before=NOON)

    claimed_ids = [claim(limit=1).outgoing[0].message_id for _ in range(3)]

    assert claimed_ids == [urgent.id, early.id, late.id]


def test_messages_of_other_channels_or_later_times_are_not_claimed():
    guest = guest_who_consented(phone="+31612345678")
    now = arrange.message(guest)
    others = [
        arrange.message(guest, channel="sms"),
        arrange.message(guest, not_before=NOON + timedelta(seconds=1)),
        # This message expired; the result of another message does not depend on it.
        arrange.message(arrange.guest(), expires_at=NOON),
    ]

    assert [outgoing.message_id for outgoing in claim().outgoing] == [now.id]

    assert [Message.objects.get(id=other.id).state for other in others] == [
        "queued",
        "queued",
        "expired",
    ]


def test_budget_counts_messages_of_earlier_claims():
    guest = guest_who_consented()
    arrange.record_statement(guest, "preference.set", "budget", {"most": 2, "per": "week"})
    for _ in range(3):
        arrange.message(guest)

    assert [len(claim(limit=1).outgoing) for _ in range(3)] == [1, 1, 0]

    assert BudgetUse.objects.get(customer_id=guest.id, scope="*:*").used == 2


@pytest.mark.parametrize("wish", [True, False])
def test_message_that_cannot_be_rendered_fails_and_does_not_block_others(wish):
    guest = arrange.guest()
    arrange.record_statement(guest, "consent.given", "birthdays")
    fields = {"message_class": "relationship", "topic": "birthdays", "purpose": "birthdays"}
    wordless = arrange.message(guest, **fields, facts={"words": {"subject": "Hm"}}, priority=1)
    arrange.record_statement(guest, "preference.set", "budget", {"most": 1, "per": "day"})
    arrange.record_statement(guest, "preference.set", "person_first", wish)
    sendable = arrange.message(guest, **fields)

    outgoing_messages = claim().outgoing

    wordless.refresh_from_db()
    assert (wordless.state, wordless.reason) == ("failed", "missing_value")
    assert [outgoing.message_id for outgoing in outgoing_messages] == (
        [] if wish else [sendable.id]
    )
    assert StaffTask.objects.count() == int(wish)
