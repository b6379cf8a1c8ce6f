"""Statements that a customer makes on the phone: recorded, in effect at once, shown to them."""

import html
import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from customers.consent import state_reader
from customers.models import AccessLogEntry, LedgerEntry, Suppression, User
from tests import factories, staff
from tests.channels.console.acting import ADDRESS, page_of
from tests.customers import consent_helpers

# On real commits: a withdrawal takes effect when it commits.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(noor):
    consent_helpers.house()
    return noor


def _post_form(client: Client, who, what: str, **form) -> str:
    response = client.post(f"/console/customers/{who.id}/preferences/{what}/", form, follow=True)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def _consent(client: Client, who, answer: str, **form) -> str:
    """Submit a form of the rendered page, with the notice that it shows."""
    page = page_of(client, f"customers/{who.id}/preferences/")
    card = re.search(
        r'<section class="card preference" id="consent-offers".*?</section>', page, re.S
    )
    assert card
    digest = re.search(r'name="notice" value="([0-9a-f]{64})"', card[0])
    assert digest
    fields = {"purpose": "offers", "answer": answer, "notice": digest[1], "language": "en"}
    return _post_form(client, who, "consent", **fields, **form)


def _documents() -> list[dict]:
    return [json.loads(entry.document) for entry in LedgerEntry.objects.order_by("seq")]


def test_a_yes_on_the_phone_says_who_heard_it_and_that_the_words_were_read(desk, house):
    page = page_of(desk, f"customers/{house.id}/preferences/")
    assert consent_helpers.TEXT in page
    assert "Not asked yet, so it counts as a no." in page

    page = _consent(desk, house, "yes", read="aloud", how="voice")

    assert "Saved. The change applies from now on." in page
    assert "Consent given," in page
    assert state_reader.read_state(house.id).consents["offers"].state == "given"
    [document] = _documents()
    assert document["actor"] == {"id": "staff:Sam", "role": "staff"}
    assert document["evidence"] == {
        "kind": "voice",
        "page": "/console/",
        "heard_as": "desk",
        "read": "aloud",
    }
    assert document["privacy_notice"]["sha256"] == consent_helpers.NOTICE
    assert document["source_channel"] == "console"


def test_consent_without_reading_the_notice_aloud_is_refused(desk, house):
    page = _consent(desk, house, "yes")

    assert "Read the text to the customer first" in page
    assert not LedgerEntry.objects.exists()


def test_refused_consent_is_given_later_only_on_the_customers_initiative(desk, house):
    _consent(desk, house, "no")

    page = _consent(desk, house, "yes", read="aloud")

    assert "The customer refused. Do not ask again before" in page
    assert "Do not ask again before" in page
    assert state_reader.read_state(house.id).consents["offers"].state == "refused"

    _consent(desk, house, "yes", read="aloud", initiative="customer")

    assert state_reader.read_state(house.id).consents["offers"].state == "given"
    assert _documents()[-1]["evidence"]["initiative"] == "customer"


def test_a_no_needs_nothing_read_and_tells_what_had_already_left(desk, house):
    _consent(desk, house, "yes", read="aloud")
    factories.message(
        house, channel="email", subject="Ten percent off", purpose="offers", at=timezone.now()
    )

    page = _consent(desk, house, "no")

    assert (
        "Tell the customer: 1 message had already left in the last hour: Ten percent off, E-mail"
        in page
    )
    assert state_reader.read_state(house.id).consents["offers"].state == "withdrawn"
    assert "Consent withdrawn," in page


def test_statement_by_phone_names_the_call_that_just_ended(desk, house):
    now = timezone.now()
    factories.record(
        factories.incoming_event(
            ADDRESS,
            name="Call Started",
            about="call:c-77",
            properties={"direction": "in", "from": "+46701740605"},
            at=now,
        ),
        at=now,
    )

    _post_form(desk, house, "pause", days="7", how="voice")
    _post_form(desk, house, "person-first", answer="yes", how="paper")

    first, second = _documents()
    assert (first["subject"], first["evidence"]["call"]) == ("pause", "call:c-77")
    assert (second["evidence"]["kind"], "call" in second["evidence"]) == ("paper", False)


@pytest.mark.parametrize(
    ("what", "form", "name", "value"),
    [
        (
            "quiet-hours",
            {"from": "21:00", "to": "09:00", "day": list("1234567")},
            "quiet_hours",
            {"from": "21:00", "to": "09:00"},
        ),
        ("language", {"language": "sv"}, "language", "sv"),
        ("person-first", {"answer": "yes"}, "person_first", True),
        ("only-when-i-ask", {"answer": "yes"}, "only_when_i_ask", True),
        ("budget", {"most": "2", "per": "week"}, "budget", {"most": 2, "per": "week"}),
        ("zone", {"zone": "Europe/Stockholm"}, "zone", "Europe/Stockholm"),
        ("channel-order", {"channel": ["sms", "email", "", ""]}, "channel_order", ["sms", "email"]),
    ],
)
def test_every_preference_can_be_set_and_cleared(desk, house, what, form, name, value):
    _post_form(desk, house, what, **form)
    [setting] = state_reader.read_state(house.id).settings
    assert (setting.name, setting.value) == (name, value)

    _post_form(desk, house, what, do="clear")

    assert state_reader.read_state(house.id).settings == ()


def test_a_channel_is_switched_off_for_a_topic(desk, house):
    page = page_of(desk, f"customers/{house.id}/preferences/")
    was = re.search(r'name="was" value="([^"]+)"', page)
    assert was
    on = [switch for switch in was[1].split() if switch != "sms:rides"]

    _post_form(desk, house, "channels", was=was[1], on=on)

    [setting] = state_reader.read_state(house.id).settings
    assert (setting.channel, setting.topic, setting.value) == ("sms", "rides", False)


@pytest.mark.parametrize(
    ("what", "form", "answer"),
    [
        ("zone", {"zone": "Nowhere"}, "This time zone is unknown"),
        ("pause", {"days": "-1"}, "invalid value"),
        ("no-such-thing", {"answer": "yes"}, "invalid value"),
        ("consent", {"purpose": "nothing", "answer": "no"}, "There is no purpose"),
        ("objection", {"answer": "perhaps"}, "invalid value"),
        ("channels", {"was": "", "on": []}, "You changed no switch"),
    ],
)
def test_invalid_preference_form_shows_an_error_and_changes_nothing(
    desk, house, what, form, answer
):
    assert answer in _post_form(desk, house, what, **form)
    assert not LedgerEntry.objects.exists()


def test_notice_is_shown_in_the_customers_language(desk, house):
    page = page_of(desk, f"customers/{house.id}/preferences/")
    assert '<option value="nl" selected>' in page

    page = page_of(desk, f"customers/{house.id}/preferences/?aloud=sv&how=paper")

    assert '<option value="sv" selected>' in page
    assert '<option value="paper" selected>' in page
    # The notice has no Swedish text, so the page shows the English one and marks it as English.
    assert '<blockquote lang="en">' in page


def test_looking_is_a_look(desk, house):
    page_of(desk, f"customers/{house.id}/preferences/")

    look = AccessLogEntry.objects.get()
    assert (look.customer_id, look.actor, look.role, look.what) == (
        house.id,
        "staff:Sam",
        "desk",
        "preferences",
    )


def test_customer_sees_which_staff_member_recorded_the_statement(desk, house, client):
    _post_form(desk, house, "pause", days="30", how="voice")
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(User.objects.create_user("noor@example.com", record=house), staff.BACKEND)

    page = html.unescape(browser.get("/receipts/").content.decode())

    assert "by phone · recorded by Sam (staff)" in page


def test_preference_of_a_merged_record_is_set_on_the_canonical_one(desk, house):
    factories.record(factories.incoming_event(("user_id", "u-1")))
    factories.record(factories.identify(("user_id", "u-1"), ADDRESS))
    joined_record = type(house).objects.get(canonical__isnull=False)

    _post_form(desk, joined_record, "person-first", answer="yes")

    assert [
        setting.name for setting in state_reader.read_state(joined_record.canonical_id).settings
    ] == ["person_first"]


def test_a_number_that_said_stop_is_said_to_who_would_switch_it_on(desk, house):
    Suppression.objects.create(
        channel="sms", address="+46701740605", reason="stopped", since=timezone.now()
    )

    page = page_of(desk, f"customers/{house.id}/preferences/")

    assert "SMS +46701740605: the customer texted STOP, so we send no messages to it" in page
    assert "until they text START from it." in page
