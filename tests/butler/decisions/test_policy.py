"""The company's policy: settings become the rules by which decisions are made."""

from datetime import timedelta

import pytest

from butler.decisions import inputs
from butler.decisions.decide import decide
from butler.types import Budget, Contact
from customers.consent.preferences import QuietHours
from tests.butler import arrange
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def decide_offer(customer):
    offer = Contact(
        message_class="marketing",
        topic="offers",
        channel="inbox",
        occurred_at=NOON,
        expires_at=NOON + timedelta(days=2),
        purpose="offers",
    )
    facts = inputs.read_facts([customer.id], now=NOON)[customer.id]
    return decide(offer, facts, inputs.rules(), NOON)


@pytest.fixture
def guest():
    arrange.vocabulary()
    guest = arrange.guest(timezone="Europe/Amsterdam")
    arrange.record_statement(guest, "consent.given", "offers")
    return guest


def test_default_settings_limit_marketing_relationship_and_peer_messages():
    rules = inputs.read_rules()

    assert rules.budgets == {"marketing": Budget(2, "week"), "relationship": Budget(2, "week")}
    assert rules.quiet_hours == {
        "marketing": QuietHours("20:00", "09:00"),
        "relationship": QuietHours("20:00", "09:00"),
        "peer": QuietHours("21:00", "08:00"),
    }
    assert rules.language == "en"


def test_budget_of_the_settings_defers_a_message(guest, settings):
    settings.BUTLER_BUDGETS = {"marketing": {"limit": 0, "period": "day"}}

    assert decide_offer(guest).code == "company_budget"


def test_quiet_hours_of_the_settings_defer_a_message(guest, settings):
    settings.BUTLER_QUIET_HOURS = {"marketing": ("10:00", "18:00")}

    assert decide_offer(guest).code == "company_quiet_hours"


def test_customer_without_language_gets_the_language_of_the_settings(guest, settings):
    settings.BUTLER_LANGUAGE = "sv"

    assert decide_offer(guest).language == "sv"


def test_policy_is_part_of_the_version_of_the_rules(settings):
    before = inputs.read_rules().version
    settings.BUTLER_BUDGETS = {}

    assert inputs.read_rules().version != before
