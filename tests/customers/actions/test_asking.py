"""The time of the next consent question, and the end of a consent, across clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from customers.actions.consent import expire_consents
from customers.consent.state import may_ask
from customers.consent.state_reader import read_state
from customers.consent.statements import InvalidStatement
from customers.models import LedgerEntry
from tests import factories
from tests.customers.consent_helpers import (
    author,
    consent_state_of,
    give,
    house,
    object_,
    refuse,
    say,
    withdraw,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    house()
    return factories.customer(("user_id", "noor"), ("email", "noor@example.com"))


@pytest.mark.parametrize("no", [refuse, withdraw])
@pytest.mark.parametrize(
    ("evidence", "days", "is_taken"),
    [
        ({"kind": "voice"}, 1, False),
        ({"kind": "voice"}, 182, False),
        ({"kind": "voice"}, 183, True),
        ({"kind": "voice", "initiative": "company"}, 1, False),
        ({"kind": "voice", "initiative": "customer"}, 1, True),
    ],
)
def test_consent_asked_for_again_too_soon_is_refused(noor, no, evidence, days, is_taken):
    say(noor.id, give())
    say(noor.id, no(), now=NOON + timedelta(hours=1))
    again = {"by": author(actor="staff:sam"), "now": NOON + timedelta(days=days, hours=1)}

    if is_taken:
        say(noor.id, give(evidence=evidence), **again)
    else:
        with pytest.raises(InvalidStatement, match="asked_again"):
            say(noor.id, give(evidence=evidence), **again)

    assert consent_state_of(noor.id).granted == (["offers"] if is_taken else [])


def test_customer_can_change_a_consent_at_any_time(noor):
    say(noor.id, refuse())
    say(noor.id, give(), now=NOON + timedelta(minutes=1))

    assert consent_state_of(noor.id).granted == ["offers"]


def test_paper_consent_from_before_a_refusal_is_accepted(noor):
    say(noor.id, refuse())

    paper = give(evidence={"kind": "paper"}, occurred_at=NOON - timedelta(days=3))
    say(noor.id, paper, by=author(actor="staff:sam"), now=NOON + timedelta(days=1))

    assert consent_state_of(noor.id).granted == []


@pytest.mark.parametrize(
    ("ends", "before", "after"),
    [
        # 2:30 occurs twice that night; the offset distinguishes the two.
        ("2027-10-31T02:30:00+02:00", "2027-10-31T00:29:59", "2027-10-31T00:30:00"),
        ("2027-10-31T02:30:00+01:00", "2027-10-31T01:29:59", "2027-10-31T01:30:00"),
        # And in spring not at all.
        ("2027-03-28T02:30:00+01:00", "2027-03-28T01:29:59", "2027-03-28T01:30:00"),
    ],
)
def test_consent_ends_at_its_time_despite_a_clock_change(noor, ends, before, after):
    end = datetime.fromisoformat(ends)
    given_at = datetime(2027, 2, 1, tzinfo=UTC)
    say(noor.id, give(valid_until=end), now=given_at)

    assert expire_consents(now=datetime.fromisoformat(before + "+00:00")) == 0
    assert consent_state_of(noor.id).granted == ["offers"]
    assert expire_consents(now=datetime.fromisoformat(after + "+00:00")) == 1
    assert consent_state_of(noor.id).granted == []
    assert LedgerEntry.objects.get(kind="consent.expired").occurred_at == end


@pytest.mark.parametrize(
    ("zone", "refused_at", "until"),
    [
        ("Europe/Amsterdam", "2027-05-05T12:00", "2027-11-04T11:00"),
        ("Europe/Amsterdam", "2026-09-24T12:00", "2027-03-26T11:00"),
        ("Australia/Lord_Howe", "2027-09-25T12:00", "2028-03-26T12:30"),
    ],
)
def test_waiting_time_after_a_refusal_ignores_clock_changes(noor, zone, refused_at, until):
    here = ZoneInfo(zone)
    at = datetime.fromisoformat(refused_at).replace(tzinfo=here)
    end = datetime.fromisoformat(until).replace(tzinfo=here).astimezone(UTC)
    say(noor.id, refuse(), now=at.astimezone(UTC))

    assert end - at.astimezone(UTC) == timedelta(days=183)
    state = read_state(noor.id)
    assert not may_ask(state, "offers", end - timedelta(seconds=1))
    assert may_ask(state, "offers", end)


def test_customer_who_consented_or_objected_is_not_asked(noor):
    assert may_ask(read_state(noor.id), "offers", NOON)

    say(noor.id, give("surveys"), object_())
    state = read_state(noor.id)

    assert not may_ask(state, "offers", NOON)
    assert not may_ask(state, "surveys", NOON)
