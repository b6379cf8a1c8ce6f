"""Fan-out to audiences with many refusals: each customer is decided once, with a reason."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from butler.actions.topics import set_status
from butler.automations import fan_out
from butler.due import queue
from butler.due.tick import tick
from butler.models import AutomationVersion, Decision, Due, Message, Run
from butler.queries.decisions import occasions
from tests import factories
from tests.butler.live_automations import TEXTS, automation
from tests.customers import consent_helpers
from tests.factories import NOON, identify, order, record

NOOR = ("email", "noor@example.com")
ELI = ("email", "eli@example.com")
IRIS = ("email", "iris@example.com")
SECOND = timedelta(seconds=1)
# A day begins first on Kiritimati; 2026-11-23 is a Monday.
FIRST = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
TEN = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Europe/Amsterdam"))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_version_cache")]


def say(*channels, **fields):
    return {"kind": "message", "channels": list(channels), "texts": TEXTS} | fields


def offer(*steps, **fields):
    trigger = {"kind": "schedule", "at": "10:00", "audience": "everyone", "days": [1]}
    document_fields = {
        "trigger": trigger,
        "steps": steps or [say("email", "inbox")],
        "class": "marketing",
        "topic": "offers",
        "purpose": "offers",
        "relation": "",
    }
    return automation("weekly", **document_fields | fields)


def audience(count=3):
    """Make customers of whom only the first agrees to offers."""
    consent_helpers.house()
    who = [factories.customer(("email", f"g{number}@example.com")) for number in range(count)]
    consent_helpers.say(who[0].id, consent_helpers.give("offers"))
    return who


def decisions(customer):
    return Decision.objects.filter(customer_id=customer.id)


def test_refused_recipients_get_no_waiting_run():
    offer()
    agrees, *others = audience()

    tick(now=FIRST)

    assert Due.objects.get(job="run").customer_id == agrees.id
    for other in others:
        decision = decisions(other).get()
        assert (decision.outcome, decision.code, decision.stage) == ("skip", "no_consent", "judge")
        assert [gate["inputs"]["channel"] for gate in decision.gates] == ["email", "inbox"]
        assert decision.customer_version == other.version
        assert Run.objects.get(id=decision.run_id).status == "completed"
    assert not decisions(agrees).exists()


def test_each_refused_customer_gets_a_decision_with_the_own_reason():
    offer()
    refused, withdrew, objects = audience(4)[1:]
    consent_helpers.say(refused.id, consent_helpers.refuse("offers"))
    consent_helpers.say(
        withdrew.id, consent_helpers.give("offers"), consent_helpers.withdraw("offers")
    )
    consent_helpers.say(
        objects.id, consent_helpers.give("offers"), consent_helpers.object_("marketing")
    )

    tick(now=FIRST)

    codes = [decisions(customer).get().code for customer in (refused, withdrew, objects)]
    assert codes == ["consent_refused", "consent_withdrawn", "objected"]


def test_recipient_with_one_allowed_channel_is_not_refused():
    offer(say("sms", "inbox"))
    agrees = audience()[0]

    tick(now=FIRST)

    assert Due.objects.get(job="run").customer_id == agrees.id


def test_a_message_in_every_channel_is_decided_for_each():
    offer(say("email", "inbox", every=True))
    other = audience()[1]

    tick(now=FIRST)

    channels = decisions(other).values_list("act__channel", flat=True)
    assert sorted(channels) == ["email", "inbox"]


def test_pause_that_ends_before_the_expiry_refuses_no_recipient():
    offer(expires="1d")
    agrees = audience()[0]
    pause = (TEN + timedelta(hours=20)).astimezone(UTC).isoformat()
    consent_helpers.say(agrees.id, consent_helpers.prefer("pause", pause))

    tick(now=FIRST)

    assert Due.objects.get(job="run").customer_id == agrees.id


def test_prefilter_refuses_the_same_customers_as_the_interpreter(monkeypatch):
    """The prefilter only saves work: without it the same customers are refused with the same codes."""
    offer()
    audience(6)
    tick(now=FIRST)
    tick(now=TEN.astimezone(UTC) + SECOND)
    prefiltered = set(
        Decision.objects.values_list("customer_id", "outcome", "code", "act__channel")
    )

    monkeypatch.setattr(fan_out, "_refused_recipients", lambda version, recipients: {})
    later = timedelta(days=7)
    tick(now=FIRST + later)
    tick(now=TEN.astimezone(UTC) + later + SECOND)

    again = Decision.objects.filter(decided_at__gt=FIRST + later - SECOND)
    interpreted = set(again.values_list("customer_id", "outcome", "code", "act__channel"))
    assert interpreted == prefiltered
    assert len(interpreted) == 6


def test_killed_tick_decides_about_no_recipient_twice(monkeypatch):
    monkeypatch.setattr(fan_out, "BATCH", 2)
    offer()
    audience(7)
    tick(now=FIRST - timedelta(hours=12))
    queue.claim(now=FIRST)

    tick(now=FIRST + timedelta(minutes=2))

    assert Decision.objects.count() == 6
    assert Run.objects.count() == 7


def test_second_version_on_the_same_day_makes_no_new_decisions():
    offer()
    audience(4)
    tick(now=FIRST)
    AutomationVersion.objects.update(status="retired")
    offer(expires="2d")

    tick(now=FIRST + timedelta(minutes=11))

    assert Run.objects.count() == 4
    assert Decision.objects.count() == 3


def test_version_that_goes_live_after_the_due_time_makes_no_decisions():
    offer(live_at=TEN.astimezone(UTC) + timedelta(hours=1))
    audience()

    tick(now=FIRST)

    assert not Run.objects.exists()
    assert not Decision.objects.exists()


def test_refused_customer_can_read_why():
    offer()
    other = audience()[1]
    tick(now=FIRST)

    (occasion,) = occasions([other.id], cursor=None, limit=5).results

    assert occasion.name["en"] == "weekly"
    assert [decision.code for decision in occasion.decisions] == ["no_consent"]


def test_service_topic_is_prefiltered_only_by_settings():
    trigger = {"kind": "topic", "topic": "ride:*", "status": "down", "audience": "visiting_today"}
    automation(
        "ride-down",
        trigger=trigger,
        topic="rides",
        relation="visit",
        expires="2h",
        steps=[say("inbox")],
    )
    for number, who in enumerate((NOOR, ELI)):
        record(identify(who), order(f"A-{number}", who, visit_date="2026-11-21"))
    muted = factories.customer(IRIS)
    record(order("A-9", IRIS, visit_date="2026-11-21"))
    consent_helpers.say(muted.id, consent_helpers.prefer("allow", False, topic="rides"))

    now = NOON + timedelta(hours=1)
    set_status(key="ride:night-mail", status="down", facts={}, author_name="staff:Iris", now=now)
    tick(now=now + SECOND)

    assert Message.objects.count() == 2
    assert decisions(muted).get().code == "topic_off"
    assert decisions(muted).get().gates[0]["gate"] == "prefilter"
