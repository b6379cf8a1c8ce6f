"""The next message obeys each setting of the Preferences page."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from butler.actions import dispatch_gate, withdrawal
from butler.actions.claimed_messages import Claimed
from butler.decisions import inputs
from butler.decisions.channel_order import order_channels
from butler.decisions.decide import decide
from butler.decisions.inputs import read_facts, rules
from butler.models import Message, StaffTask
from butler.types import Use
from customers.actions.changes import ChangeAuthor
from customers.consent import state_reader
from customers.consent.statements import ConsentStatement, InvalidStatement
from customers.models import LedgerEntry, Purpose
from tests import factories
from tests.butler import arrange
from tests.markup import tidy

pytestmark = pytest.mark.django_db(transaction=True)

ALL_SMS_AND_MAIL = "inbox:* email:* sms:* phone:*"


@pytest.fixture(autouse=True)
def _vocabulary(monkeypatch):
    arrange.vocabulary()
    Purpose.objects.create(key="combine", kind="use")
    monkeypatch.setattr(inputs, "_cached_rules", None)


def press(client, what: str, **form) -> None:
    """Submit one form of the page."""
    response = client.post(f"/preferences/{what}/", form)
    assert response.status_code == 302, response.content


def of_order(customer, place) -> dict[str, str]:
    number = f"A-{uuid.uuid4().hex[:8]}"
    place(number)
    return {"message_class": "service", "topic": "orders", "relation": f"order:{number}"}


def answering(customer, place) -> dict[str, str]:
    about = f"request:{uuid.uuid4().hex[:8]}"
    now = timezone.now()
    callback = factories.incoming_event(
        ("user_id", "noor"), name="Callback Requested", about=about, at=now
    )
    factories.record(callback, at=now)
    return {"message_class": "answer", "topic": "requests", "relation": about}


def offer(customer, place) -> dict[str, str]:
    return {"message_class": "marketing", "topic": "offers", "purpose": "offers"}


def next_message(customer, facts: dict[str, str]) -> tuple[Message, Claimed]:
    """Queue a message, and let the dispatch gate decide about it."""
    now = timezone.now()
    message = arrange.message(
        customer,
        occurred_at=now,
        not_before=now,
        created_at=now,
        state_at=now,
        expires_at=now + timedelta(days=120),
        **facts,
    )
    claimed = dispatch_gate.claim(
        channel="email", provider="sink", now=now, limit=5, lease=1.0, links=lambda outgoing: {}
    )
    message.refresh_from_db()
    return message, claimed


def consent(answer: str) -> tuple[str, dict]:
    form = {"purpose": "offers", "answer": answer, "notice": arrange.DIGEST, "language": "en"}
    return "consent", form


# The current time is always in the middle of these hours.
QUIET = "quiet-hours"


def around_now() -> dict[str, object]:
    now = timezone.now()
    hours = {"from": now - timedelta(hours=4), "to": now + timedelta(hours=4)}
    return {name: f"{at:%H:%M}" for name, at in hours.items()} | {"day": list("1234567")}


@pytest.mark.parametrize(
    ("forms", "kind", "end"),
    [
        ([], of_order, ("sending", "")),
        ([consent("no")], offer, ("suppressed", "consent_refused")),
        ([consent("yes"), consent("no")], offer, ("suppressed", "consent_withdrawn")),
        (
            [consent("yes"), ("objection", {"answer": "yes"})],
            offer,
            ("suppressed", "objected"),
        ),
        (
            [("channels", {"was": ALL_SMS_AND_MAIL, "on": ["inbox:*", "sms:*", "phone:*"]})],
            of_order,
            ("suppressed", "channel_off"),
        ),
        ([("channels", {"was": "email:orders", "on": []})], of_order, ("suppressed", "topic_off")),
        # Switches of another topic or another channel do not affect the message.
        ([("channels", {"was": "email:rides", "on": []})], of_order, ("sending", "")),
        ([("channels", {"was": "sms:orders", "on": []})], of_order, ("sending", "")),
        # The setting of a topic overrides the setting of the whole channel.
        (
            [
                ("channels", {"was": "email:*", "on": []}),
                ("channels", {"was": "", "on": ["email:orders"]}),
            ],
            of_order,
            ("sending", ""),
        ),
        ([("budget", {"most": "0", "per": "day"})], of_order, ("queued", "budget_used")),
        ([("budget", {"most": "1", "per": "month"})], of_order, ("sending", "")),
        ([("pause", {"days": "7"})], of_order, ("queued", "paused")),
        ([("pause", {"days": "7"}), ("pause", {"do": "clear"})], of_order, ("sending", "")),
        ([("zone", {"zone": "UTC"}), (QUIET, {})], of_order, ("queued", "quiet_hours")),
        ([(QUIET, {})], of_order, ("queued", "zone_unknown")),
        ([("only-when-i-ask", {"answer": "yes"})], answering, ("sending", "")),
        ([("only-when-i-ask", {"answer": "yes"})], offer, ("suppressed", "no_consent")),
        (
            [consent("yes"), ("only-when-i-ask", {"answer": "yes"})],
            offer,
            ("suppressed", "only_when_asked"),
        ),
        ([("person-first", {"answer": "yes"})], answering, ("suppressed", "person_first")),
        ([("person-first", {"answer": "no"})], answering, ("sending", "")),
    ],
)
def test_next_message_obeys_the_preferences(signed_in, noor, place, forms, kind, end):
    facts = kind(noor, place)
    for what, form in forms:
        press(signed_in, what, **(around_now() if what == QUIET else form))

    message, _ = next_message(noor, facts)

    assert (message.state, message.reason) == end
    assert StaffTask.objects.count() == (end[1] == "person_first")


def test_the_second_message_of_a_budget_of_one_waits(signed_in, noor, place):
    facts = of_order(noor, place)
    press(signed_in, "budget", most="1", per="month")

    first, _ = next_message(noor, facts)
    second, _ = next_message(noor, facts)

    assert (first.state, second.state, second.reason) == ("sending", "queued", "budget_used")


def test_it_is_said_in_the_language_that_was_chosen(signed_in, noor, place):
    facts = of_order(noor, place)
    press(signed_in, "language", language="sv")

    _, claimed = next_message(noor, facts)

    assert [outgoing.language for outgoing in claimed.outgoing] == ["sv"]


def test_the_way_that_was_put_first_is_tried_first(signed_in, noor):
    press(signed_in, "channel-order", channel=["sms", "email", "", ""])

    facts = read_facts([noor.pk], now=timezone.now())[noor.pk]

    assert order_channels(facts, ("inbox", "email", "sms")) == ("sms", "email", "inbox")


@pytest.mark.parametrize(("answer", "code"), [("no", "data_use_off"), ("yes", "relation_live")])
def test_data_is_used_as_was_said(signed_in, noor, place, answer, code):
    relation = of_order(noor, place)["relation"]
    press(signed_in, "data-use", purpose="combine", answer=answer)
    facts = read_facts([noor.pk], now=timezone.now())[noor.pk]

    decision = decide(Use("combine", relation=relation), facts, rules(), timezone.now())

    assert decision.code == code


def test_a_childs_yes_is_not_taken_but_a_guardians_is_and_a_no_is(signed_in, noor):
    now = timezone.now()
    born = (now - timedelta(days=10 * 365)).date().isoformat()
    factories.record(factories.identify(("user_id", "noor"), birth_date=born, at=now), at=now)
    author = ChangeAuthor(factories.sender())

    def say(statement: str, **evidence: str) -> str:
        notice = arrange.DIGEST if statement == "consent.given" else ""
        word = ConsentStatement(
            kind=statement, subject="offers", notice=notice, language="en", evidence=evidence
        )
        withdrawal.record_statements(
            customer_id=noor.pk, statements=[word], author=author, now=timezone.now()
        )
        return state_reader.read_state(noor.pk).consents["offers"].state

    with pytest.raises(InvalidStatement) as refused:
        say("consent.given", kind="click")

    assert refused.value.code == "not_of_age"
    assert not LedgerEntry.objects.filter(record=noor).exists()
    assert say("consent.given", kind="paper", role="guardian") == "given"
    # The pages still show no consent, because Butler sends no messages to minors.
    assert "offers:<strong>no</strong>" in tidy(signed_in.get("/").content.decode().lower())
    assert say("consent.withdrawn", kind="click") == "withdrawn"
