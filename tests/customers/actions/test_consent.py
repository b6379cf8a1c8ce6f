import json
import uuid
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection

from customers import rebuild
from customers.actions import notices
from customers.actions.consent import expire_consents
from customers.actions.internal_events import NoSuchCustomer
from customers.consent import hash_chain
from customers.consent.statements import ConsentStatement, InvalidStatement
from customers.identity import decisions
from customers.models import ConsentState, Customer, Event, LedgerEntry
from tests import factories
from tests.customers.consent_helpers import (
    NOTICE,
    author,
    consent_state_of,
    give,
    house,
    object_,
    prefer,
    refuse,
    say,
    withdraw,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db

NOOR = ("user_id", "noor")


@pytest.fixture
def noor():
    house()
    return factories.customer(NOOR, ("email", "noor@example.com"))


def pictures(*customers):
    rows = ConsentState.objects.filter(customer__in=customers).order_by("customer").values()
    return list(rows)


def test_a_consent_is_on_the_ledger_on_the_log_and_in_force(noor):
    receipt = say(noor.id, give())

    entry = LedgerEntry.objects.get()
    event = Event.objects.get(kind="control")
    consent_state = consent_state_of(noor.id)
    assert receipt == ((entry.entry_id,), noor.id, event.version)
    assert (entry.record_id, entry.seq, entry.version) == (noor.id, 1, event.version)
    assert event.name == "Consent Given"
    assert event.body["properties"] == {
        "entry": str(entry.entry_id),
        "subject": "offers",
        "purpose": "offers",
    }
    assert consent_state.granted == ["offers"]
    assert consent_state.state["consents"]["offers"]["notice"] == NOTICE
    assert Customer.objects.get(id=noor.id).version == event.version


def test_later_entry_of_two_statements_with_one_time_holds(noor):
    say(noor.id, give())
    say(noor.id, withdraw())
    assert consent_state_of(noor.id).granted == []

    say(noor.id, give())

    assert consent_state_of(noor.id).granted == ["offers"]


def test_a_clock_that_is_behind_does_not_put_a_withdrawal_before_the_consent(noor):
    say(noor.id, give(), now=NOON)

    say(noor.id, withdraw(), now=NOON - timedelta(seconds=2))

    assert consent_state_of(noor.id).granted == []
    assert consent_state_of(noor.id).state["consents"]["offers"]["state"] == "withdrawn"


def test_refusal_survives_a_merge_and_returns_to_its_record_after_separation(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(noor.id, give(), prefer("allow", True, channel="email"))
    say(other.id, refuse(), prefer("allow", False))
    before = pictures(noor, other)

    decisions.merge_records(noor.id, other.id, actor="staff:lin", now=NOON)
    [live] = Customer.objects.live()
    joined = consent_state_of(live.id)
    decisions.separate_records(noor.id, other.id, actor="staff:lin", now=NOON)

    assert joined.granted == []
    assert joined.state["consents"]["offers"]["state"] == "refused"
    assert [(s["channel"], s["value"]) for s in joined.state["settings"]] == [
        ("*", False),
        ("email", False),
    ]
    assert pictures(noor, other) == before


def test_consent_after_a_merge_holds_for_both_records_after_separation(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(other.id, refuse())
    decisions.merge_records(noor.id, other.id, actor="staff:lin", now=NOON)
    [live] = Customer.objects.live()

    # A statement on the merged record, which belongs to the same customer.
    receipt = say(({noor.id, other.id} - {live.id}).pop(), give())
    assert receipt.customer_id == live.id
    assert consent_state_of(live.id).granted == ["offers"]
    decisions.separate_records(noor.id, other.id, actor="staff:lin", now=NOON)

    assert consent_state_of(noor.id).granted == consent_state_of(other.id).granted == ["offers"]


def test_only_the_live_record_has_a_consent_state(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(noor.id, give())
    say(other.id, give())

    decisions.merge_records(noor.id, other.id, actor="staff:lin", now=NOON)

    [live] = Customer.objects.live()
    assert [consent_state.customer_id for consent_state in ConsentState.objects.all()] == [live.id]
    assert rebuild.find_differences([live.id]) == []


def test_rebuild_reports_a_consent_state_that_differs_from_the_ledger(noor):
    say(noor.id, refuse())
    ConsentState.objects.update(granted=["offers"])

    assert [difference.what for difference in rebuild.find_differences([noor.id])] == [
        "consent_state "
    ]
    rebuild.rebuild([noor.id])

    assert consent_state_of(noor.id).granted == []


def test_every_kind_of_statement_appends_an_event_with_its_entry(noor):
    words = [
        give(evidence={"kind": "click"}),
        refuse("surveys"),
        object_(),
        prefer("allow", False, channel="sms"),
        ConsentStatement(kind="signal.received", subject="gpc"),
    ]

    receipt = say(noor.id, *words)

    events = Event.objects.filter(kind="control").order_by("version")
    assert [event.name for event in events] == [
        "Consent Given",
        "Consent Refused",
        "Objection Made",
        "Preference Set",
        "Signal Received",
    ]
    assert [event.body["properties"]["entry"] for event in events] == [*map(str, receipt.entries)]
    assert events[3].body["properties"] | {"entry": ""} == {
        "entry": "",
        "subject": "allow",
        "channel": "sms",
        "value": False,
    }
    assert receipt.version == events[4].version


def test_ledger_document_has_every_field_of_the_standard(noor):
    end = NOON + timedelta(days=365)
    say(
        noor.id,
        give(evidence={"kind": "voice", "recording": "r-1"}, valid_until=end),
        by=author(actor="staff:sam", channel="phone"),
    )

    entry = LedgerEntry.objects.get()
    assert json.loads(entry.document) == {
        "schema": "butler.control/1",
        "record_id": str(entry.entry_id),
        "subject_id": str(noor.id),
        "seq": 1,
        "speaks_for": [str(noor.id)],
        "kind": "consent.given",
        "state": "ConsentGiven",
        "subject": "offers",
        "channel": "*",
        "topic": "*",
        "value": None,
        "purpose": "offers",
        "purpose_type": "https://w3id.org/dpv#DirectMarketing",
        "lawful_basis": "consent",
        "data_categories": ["address"],
        "processing": None,
        "recipients": None,
        "storage": None,
        "retention": "P2Y",
        "privacy_notice": {"version": 1, "language": "en", "sha256": NOTICE},
        "language": "en",
        "controller": "Larkmoor",
        "jurisdiction": "NL",
        "withdraw_url": "http://localhost:8000/preferences/",
        "source_channel": "phone",
        "actor": {"id": "staff:sam", "role": "staff"},
        "expression": "explicit",
        "evidence": {"kind": "voice", "recording": "r-1"},
        "event_time": "2026-11-21T12:00:00.000000+00:00",
        "recorded_at": "2026-11-21T12:00:00.000000+00:00",
        "valid_until": "2027-11-21T12:00:00.000000+00:00",
        "reask_not_before": None,
        "supersedes": None,
    }
    assert entry.document.encode() == hash_chain.canonical_json(json.loads(entry.document))


def test_a_change_names_the_entry_that_it_supersedes(noor):
    [first] = say(noor.id, give()).entries
    [second] = say(noor.id, withdraw()).entries
    [other] = say(noor.id, refuse("surveys")).entries

    superseded = {
        str(entry.entry_id): json.loads(entry.document)["supersedes"]
        for entry in LedgerEntry.objects.all()
    }
    assert superseded == {str(first): None, str(second): str(first), str(other): None}


def test_refused_consent_is_not_asked_again_for_half_a_year(noor):
    say(noor.id, refuse())
    say(noor.id, refuse("surveys", reask_not_before=NOON + timedelta(days=400)))

    consents = consent_state_of(noor.id).state["consents"]
    assert consents["offers"]["reask_not_before"] == "2027-05-23T12:00:00Z"
    assert consents["surveys"]["reask_not_before"] == "2027-12-26T12:00:00Z"


def test_older_statement_does_not_replace_a_newer_one(noor):
    say(noor.id, withdraw(occurred_at=NOON - timedelta(days=1)))

    say(noor.id, give(occurred_at=NOON - timedelta(days=7)))

    assert consent_state_of(noor.id).granted == []


def test_statement_from_the_future_is_refused(noor):
    say(noor.id, give(occurred_at=NOON + timedelta(days=30)))

    assert LedgerEntry.objects.get().occurred_at == NOON


def test_one_invalid_statement_refuses_all(noor):
    with pytest.raises(InvalidStatement, match="unknown_notice"):
        say(noor.id, refuse("surveys"), ConsentStatement(kind="consent.given", subject="offers"))

    assert not LedgerEntry.objects.exists()
    assert not Event.objects.filter(kind="control").exists()


def test_consent_with_the_notice_of_another_purpose_is_refused(noor):
    other = "We may ask you how it was."
    notices.publish(notices=[notices.NoticeText("surveys", 2, {"en": other})], now=NOON)

    with pytest.raises(InvalidStatement, match="unknown_notice"):
        say(
            noor.id,
            ConsentStatement(kind="consent.given", subject="offers", notice=notices.digest(other)),
        )


def test_publishable_key_cannot_record_statements(noor):
    for word in (give(), withdraw()):
        with pytest.raises(InvalidStatement, match="only_claimed"):
            say(noor.id, word, by=author(trusted=False))


def test_statement_for_an_unknown_customer_is_refused(noor):
    with pytest.raises(NoSuchCustomer):
        say(uuid.uuid4(), refuse())


def test_expired_consent_is_written_to_the_ledger_once(noor):
    end = NOON + timedelta(days=1)
    say(noor.id, give(valid_until=end), give("surveys"))

    assert expire_consents(now=end - timedelta(seconds=1)) == 0
    assert expire_consents(now=end + timedelta(hours=1)) == 1
    assert expire_consents(now=end + timedelta(hours=2)) == 0

    entry = LedgerEntry.objects.get(kind="consent.expired")
    assert (entry.subject, entry.occurred_at) == ("offers", end)
    assert json.loads(entry.document)["actor"] == {"id": "butler", "role": "clock"}
    assert consent_state_of(noor.id).granted == ["surveys"]
    assert consent_state_of(noor.id).state["consents"]["offers"]["state"] == "expired"
    assert Event.objects.filter(name="Consent Expired", actor="butler").count() == 1


def test_expiry_for_one_record_leaves_the_consent_of_the_other(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    end = NOON + timedelta(days=1)
    say(noor.id, give(valid_until=end))
    say(other.id, give())
    decisions.merge_records(noor.id, other.id, actor="staff:lin", now=NOON)

    expire_consents(now=end)
    [live] = Customer.objects.live()
    assert consent_state_of(live.id).granted == []
    decisions.separate_records(noor.id, other.id, actor="staff:lin", now=end)

    assert consent_state_of(noor.id).granted == []
    assert consent_state_of(other.id).granted == ["offers"]
    assert rebuild.find_differences(sorted([noor.id, other.id])) == []


def test_consent_after_an_expiry_holds(noor):
    end = NOON + timedelta(days=1)
    say(noor.id, give(valid_until=end))
    expire_consents(now=end)

    say(noor.id, give(), now=end + timedelta(days=1))

    assert consent_state_of(noor.id).granted == ["offers"]


@pytest.mark.parametrize(
    "change",
    [
        lambda: LedgerEntry.objects.update(kind="consent.given"),
        lambda: LedgerEntry.objects.update(document="{}"),
        lambda: LedgerEntry.objects.all().delete(),
    ],
    ids=["another kind", "another document", "gone"],
)
def test_ledger_is_append_only(noor, change):
    say(noor.id, refuse())

    with pytest.raises(ProgrammingError, match="pgtrigger: Cannot"):
        change()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE customers_ledgerentry SET kind = 'consent.given' WHERE seq = 2",
        "UPDATE customers_ledgerentry SET subject = 'surveys' WHERE seq = 2",
        "UPDATE customers_ledgerentry SET occurred_at = occurred_at + interval '1 s' WHERE seq = 1",
        "UPDATE customers_ledgerentry SET speaks_for = speaks_for || gen_random_uuid() WHERE seq = 1",
        "UPDATE customers_ledgerentry SET document = replace(document, 'withdrawn', 'given')",
        "UPDATE customers_ledgerentry SET digest = sha256(document::bytea) WHERE seq = 2",
        "DELETE FROM customers_ledgerentry WHERE seq = 2",
        "DELETE FROM customers_ledgerentry WHERE seq = 1",
        "UPDATE customers_ledgerentry SET seq = 4 WHERE seq = 3",
    ],
)
def test_change_that_bypasses_the_triggers_is_detected(noor, change):
    for word in (give(), withdraw(), refuse("surveys")):
        say(noor.id, word)
    assert rebuild.find_differences([noor.id]) == []

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_ledgerentry DISABLE TRIGGER USER")
        cursor.execute(change)

    assert any(
        difference.what.startswith("ledger") for difference in rebuild.find_differences([noor.id])
    )


def test_statement_runs_the_same_sql_for_any_length_of_the_ledger(noor, count_statements):
    def cost():
        with count_statements() as statements:
            say(noor.id, give(), withdraw())
        return len(statements)

    first = cost()
    for _ in range(10):
        say(noor.id, give())

    assert cost() == first <= 13
