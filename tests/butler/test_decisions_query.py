import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from butler.models import Automation, AutomationVersion, Run
from butler.queries import decisions, inbox
from customers.models import AccessLogEntry
from customers.queries.pages import BadCursor
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    return factories.customer(("email", "noor@example.com"), first_name="Noor")


def _run(of, *, key: str = "visit-reminder") -> Run:
    automation, _ = Automation.objects.get_or_create(key=key)
    version = AutomationVersion.objects.create(
        automation=automation,
        number=AutomationVersion.objects.filter(automation=automation).count() + 1,
        document={"key": key, "name": {"en": "Reminder of your visit", "nl": "Herinnering"}},
        digest=uuid.uuid4().hex,
        trigger="date",
    )
    return Run.objects.create(
        automation=automation,
        version=version,
        customer_id=of.pk,
        occasion=str(uuid.uuid4()),
        occurred_at=NOON,
        created_at=NOON,
    )


def _why(of, **narrow):
    return decisions.occasions([of.pk], cursor=None, limit=50, **narrow).results


def test_the_decisions_of_one_run_are_one_occasion(noor):
    run = _run(noor)
    factories.decision(
        noor, run_id=run.pk, outcome="skip", code="channel_off", act={"channel": "sms"}
    )
    message = factories.message(noor, run_id=run.pk, channel="email")
    factories.decision(noor, run_id=run.pk, message_id=message.pk, at=NOON + timedelta(seconds=1))

    [occasion] = _why(noor)

    assert occasion.name["nl"] == "Herinnering"
    assert [decision.code for decision in occasion.decisions] == ["allowed", "channel_off"]
    assert occasion.decisions[0].subject == "Your visit is near"
    assert occasion.decisions[0].state == "accepted"


def test_only_the_last_decision_of_each_channel_counts(noor):
    run = _run(noor)
    factories.decision(noor, run_id=run.pk, stage="judge")
    factories.decision(
        noor, run_id=run.pk, outcome="skip", code="withdrawn", at=NOON + timedelta(seconds=5)
    )

    [occasion] = _why(noor)

    assert [decision.code for decision in occasion.decisions] == ["withdrawn"]
    assert _why(noor, is_sent=True) == []
    assert len(_why(noor, is_sent=False)) == 1


def test_occasion_sent_on_one_of_two_channels_counts_as_sent(noor):
    run = _run(noor)
    factories.decision(noor, run_id=run.pk, act={"channel": "inbox"})
    factories.decision(noor, run_id=run.pk, outcome="skip", at=NOON + timedelta(seconds=5))

    assert len(_why(noor, is_sent=True)) == 1
    assert _why(noor, is_sent=False) == []


def test_pages_of_occasions_continue_and_split_no_occasion(noor):
    at = timezone.now()
    runs = [_run(noor) for _ in range(5)]
    for number, run in enumerate(runs):
        for channel in ("email", "sms"):
            # All at one moment in pairs, so that time alone does not tell them apart.
            moment = at + timedelta(seconds=number // 2)
            factories.decision(noor, run_id=run.pk, at=moment, act={"channel": channel})

    occasions, cursor = [], None
    while True:
        page = decisions.occasions([noor.pk], cursor=cursor, limit=2)
        occasions += page.results
        cursor = page.next
        if cursor is None:
            break

    assert len(occasions) == 5
    assert {occasion.id for occasion in occasions} == {run.pk for run in runs}
    assert all(len(occasion.decisions) == 2 for occasion in occasions)


def test_cursor_of_another_list_is_refused(noor):
    with pytest.raises(BadCursor):
        decisions.occasions([noor.pk], cursor="bm9uc2Vuc2U", limit=5)


def test_subject_of_an_unsent_or_withdrawn_message_is_empty(noor):
    for state in ("queued", "withdrawn"):
        message = factories.message(noor, state=state, subject="A secret offer")
        factories.decision(noor, message_id=message.pk)

    by_state = {occasion.decisions[0].state: occasion.decisions[0] for occasion in _why(noor)}

    assert by_state["withdrawn"].subject == ""
    assert set(by_state) == {"", "withdrawn"}


def test_occasions_are_read_in_one_statement(noor, count_statements):
    for _ in range(20):
        factories.decision(noor, run_id=_run(noor).pk)
    AccessLogEntry.objects.create(
        customer=noor, at=NOON, actor="staff:Sam", what="page", reason="call"
    )

    with count_statements() as statements:
        assert len(_why(noor)) == 20
        assert decisions.access_log([noor.pk], cursor=None, limit=5).results[0].actor == "staff:Sam"

    assert (statements[0], len(statements)) == ("read_occasions", 2)


def test_another_customers_decisions_are_not_there(noor):
    els = factories.customer(("email", "els@example.com"))
    factories.decision(els)

    assert _why(noor) == []


def test_resolved_customer_has_all_merged_records(noor):
    other = factories.customer(("email", "noor@work.example.com"))
    other.canonical = noor
    other.save()
    factories.message(other)
    factories.message(noor)
    factories.message(noor, read_at=NOON)
    factories.message(noor, channel="email")
    factories.message(noor, state="queued")

    door = inbox.resolve_customer(other.pk)

    assert door
    assert door.id == noor.pk
    assert set(door.ids) == {noor.pk, other.pk}
    assert door.unread == 2
    assert inbox.resolve_customer(uuid.uuid4()) is None
