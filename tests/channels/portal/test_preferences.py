"""The Preferences page, with real commits, because a withdrawal takes effect at its commit."""

import hashlib
import html
import json
import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from butler.decisions.inputs import read_facts
from customers.consent import state_reader
from customers.models import (
    ConsentState,
    Event,
    LedgerEntry,
    Notice,
    Purpose,
    Suppression,
    Topic,
    User,
)
from tests import factories
from tests.markup import tidy

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "We may send you offers of the park. You can take this back here at any time."


@pytest.fixture(autouse=True)
def _purposes(db):
    """Create the purposes of a park."""
    for key, kind, name in (("offers", "contact", "Offers"), ("combine", "use", "Combine visits")):
        purpose = Purpose.objects.create(
            key=key, kind=kind, texts={"en": {"name": name}, "nl": {"name": f"{name} nl"}}
        )
        for language in ("en", "nl"):
            text = f"{TEXT} ({key}, {language})"
            Notice.objects.create(
                purpose=purpose,
                version=1,
                language=language,
                text=text,
                digest=hashlib.sha256(text.encode()).hexdigest(),
                published_at=timezone.now(),
            )
    for position, key in enumerate(("visits", "offers")):
        Topic.objects.create(key=key, position=position, texts={"en": {"name": key.capitalize()}})


def _page(client, path: str = "/preferences/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def _card(page: str, name: str) -> str:
    match = re.search(
        rf'<section class="card preference" id="{name}".*?</section>', page, re.DOTALL
    )
    assert match, name
    return html.unescape(match[0])


def _post_form(client, what: str, **form):
    return client.post(f"/preferences/{what}/", form, follow=True).content.decode()


def _consent(client, answer: str, purpose: str = "offers") -> str:
    """Submit a form of the rendered page, with the notice that it shows."""
    card = _card(_page(client), f"consent-{purpose}")
    notice = re.search(r'name="notice" value="([0-9a-f]{64})"', card)
    assert notice
    return _post_form(
        client, "consent", purpose=purpose, answer=answer, notice=notice[1], language="en"
    )


def test_the_exact_notice_stands_above_two_buttons_of_one_kind(signed_in):
    card = _card(_page(signed_in), "consent-offers")

    assert f"{TEXT} (offers, en)" in card
    buttons = re.findall(r'<button type="submit" class="([^"]+)" name="answer"', card)
    assert buttons == ["button secondary", "button secondary"]
    assert "We have not asked you yet, so it counts as a no." in card


def test_yes_and_no_hold_at_once_and_are_on_the_ledger(signed_in, noor):
    page = _consent(signed_in, "yes")
    assert "Saved. The change applies from now on." in page
    assert "You said yes." in _card(page, "consent-offers")
    assert state_reader.read_state(noor.id).consents["offers"].state == "given"

    page = _consent(signed_in, "no")
    assert "You withdrew your consent." in _card(page, "consent-offers")
    assert state_reader.read_state(noor.id).consents["offers"].state == "withdrawn"

    kinds = LedgerEntry.objects.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["consent.given", "consent.withdrawn"]
    document = json.loads(LedgerEntry.objects.get(seq=1).document)
    assert document["evidence"]["kind"] == "click"
    assert document["actor"]["role"] == "self"
    assert document["source_channel"] == "web"
    assert Event.objects.filter(kind="control").count() == 2


def test_a_consent_to_a_text_that_was_not_shown_is_refused(signed_in, noor):
    page = _post_form(signed_in, "consent", purpose="offers", answer="yes", notice="0" * 64)

    assert "invalid value" in page
    assert not LedgerEntry.objects.exists()


def test_a_withdrawal_tells_what_had_already_left(signed_in, noor):
    _consent(signed_in, "yes")
    factories.message(
        noor, channel="email", subject="Ten percent off", purpose="offers", at=timezone.now()
    )

    page = html.unescape(_consent(signed_in, "no"))

    assert "1 message had already left in the last hour: Ten percent off, by e-mail" in page


def test_objecting_to_advertising_overrules_every_yes_and_can_be_taken_back(signed_in, noor):
    _consent(signed_in, "yes")

    _post_form(signed_in, "objection", answer="yes")
    assert "marketing" in state_reader.read_state(noor.id).objections
    assert "Offers:<strong>no</strong>" in tidy(_page(signed_in, "/"))

    _post_form(signed_in, "objection", answer="no")
    assert "Offers:<strong>yes</strong>" in tidy(_page(signed_in, "/"))


def test_consent_under_an_objection_is_not_shown_as_given(signed_in, noor):
    _post_form(signed_in, "objection", answer="yes")
    page = _consent(signed_in, "yes")

    assert "You objected to this." in _card(page, "consent-offers")
    assert "You objected to this." not in _card(page, "consent-combine")


def test_switches_show_what_is_obeyed(signed_in, noor):
    def on() -> set[str]:
        card = _card(_page(signed_in), "channels")
        return set(re.findall(r'name="on" value="([^"]+)"[^>]* checked', card))

    before = on()
    assert "email:offers" in before

    _post_form(signed_in, "channels", on=sorted(before - {"email:offers"}), was=sorted(before))
    assert before - on() == {"email:offers"}

    now = on()
    _post_form(signed_in, "channels", on=sorted(now - {"sms:*"}), was=sorted(now))
    assert now - on() == {"sms:*", "sms:visits", "sms:offers"}


@pytest.mark.parametrize(
    ("what", "form", "name", "value", "shown"),
    [
        ("budget", {"most": "2", "per": "week"}, "budget", {"most": 2, "per": "week"}, 'value="2"'),
        (
            "quiet-hours",
            {"from": "21:30", "to": "09:00", "day": ["6", "7"]},
            "quiet_hours",
            {"from": "21:30", "to": "09:00", "days": [6, 7]},
            'value="21:30"',
        ),
        ("zone", {"zone": "Europe/Stockholm"}, "zone", "Europe/Stockholm", "Europe/Stockholm"),
        ("language", {"language": "sv"}, "language", "sv", 'lang="sv" aria-pressed="true"'),
        ("only-when-i-ask", {"answer": "yes"}, "only_when_i_ask", True, 'aria-pressed="true"'),
        ("person-first", {"answer": "yes"}, "person_first", True, 'aria-pressed="true"'),
        (
            "channel-order",
            {"channel": ["sms", "email", "", ""]},
            "channel_order",
            ["sms", "email"],
            'value="sms" selected',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_preference_is_set_shown_and_taken_back(
    signed_in, noor, what, form, name, value, shown
):
    page = _post_form(signed_in, what, **form)

    settings = {
        setting.name: setting.value for setting in state_reader.read_state(noor.id).settings
    }
    assert settings == {name: value}
    facts = read_facts([noor.id], now=timezone.now())[noor.id]
    assert facts.consent_state
    assert {setting.name for setting in facts.consent_state.settings} == {name}
    assert shown in tidy(_card(page, what))

    _post_form(signed_in, what, do="clear")
    assert state_reader.read_state(noor.id).settings == ()


def test_a_pause_says_until_when_and_can_be_ended(signed_in, noor):
    page = _post_form(signed_in, "pause", days="7")

    [pause] = state_reader.read_state(noor.id).settings
    assert timezone.datetime.fromisoformat(pause.value) > timezone.now() + timedelta(days=6)
    assert "Messages are paused until" in _card(page, "pause")

    page = _post_form(signed_in, "pause", do="clear")
    assert "Messages are paused until" not in page


def test_use_of_data_can_be_stopped_even_where_an_order_needs_it(signed_in, noor):
    _post_form(signed_in, "data-use", purpose="combine", answer="no")

    [setting] = state_reader.read_state(noor.id).settings
    assert (setting.name, setting.topic, setting.value) == ("data_use", "combine", False)
    assert "We do not use your data" in _card(_page(signed_in), "consent-combine")


@pytest.mark.parametrize(
    ("what", "form", "words"),
    [
        ("zone", {"zone": "Mars/Olympus"}, "We do not know this time zone"),
        ("budget", {"most": "many", "per": "week"}, "a number of messages from 0 to 1000"),
        ("quiet-hours", {"from": "21:00", "to": "08:00"}, "at least one day"),
        ("quiet-hours", {"from": "aa:bb", "to": "08:00", "day": "1"}, "invalid value"),
        ("language", {"language": "<b>"}, "invalid value"),
        ("channel-order", {"channel": ["sms", "sms"]}, "only once"),
        ("channels", {}, "You changed no switch"),
        ("data-use", {"purpose": "offers", "answer": "no"}, "invalid value"),
        ("nonsense", {"answer": "yes"}, "invalid value"),
    ],
)
def test_invalid_preference_shows_an_error_and_changes_nothing(signed_in, what, form, words):
    assert words in html.unescape(_post_form(signed_in, what, **form))
    assert not LedgerEntry.objects.exists()


def test_a_form_leads_back_to_its_place(signed_in):
    response = signed_in.post("/preferences/pause/", {"days": "7"})
    assert response["Location"] == "/preferences/#pause"

    response = signed_in.post("/preferences/consent/", {"purpose": "offers", "answer": "no"})
    assert response["Location"] == "/preferences/#consent-offers"


def test_get_request_or_foreign_form_changes_nothing(signed_in):
    assert signed_in.get("/preferences/pause/").status_code == 405
    signed_in.handler.enforce_csrf_checks = True

    assert signed_in.post("/preferences/objection/", {"answer": "yes"}).status_code == 403
    assert not LedgerEntry.objects.exists()


def test_preference_form_without_a_sign_in_changes_nothing(client, noor):
    assert client.post("/preferences/objection/", {"answer": "yes"}).status_code == 302
    assert not LedgerEntry.objects.exists()


def test_unreadable_ledger_shows_no_preferences(signed_in, noor):
    _consent(signed_in, "yes")
    ConsentState.objects.update(state={"consents": "nonsense"})

    response = signed_in.get("/preferences/")

    assert response.status_code == 503
    assert "We send you no messages" in response.content.decode()


# Receipts ----------------------------------------------------------------------------


def test_everything_said_is_listed_with_a_receipt_that_can_be_fetched(signed_in, noor):
    _consent(signed_in, "yes")
    _post_form(signed_in, "budget", most="2", per="week")
    _post_form(signed_in, "objection", answer="yes")

    page = html.unescape(_page(signed_in, "/receipts/"))

    assert "You said yes: Offers" in page
    assert "You set a preference: how often" in page
    assert "2 a week" in page
    assert "You objected: All advertising" in page
    links = re.findall(r'href="(/receipts/[0-9a-f-]{36}/)"', page)
    assert len(links) == 3
    for link in links:
        response = signed_in.get(link)
        assert "attachment" in response["Content-Disposition"]
        assert response.json()["signature"]
    whole = signed_in.get("/receipts/ledger.json")
    assert whole.status_code == 200


def test_anothers_receipt_is_not_there_with_the_same_words(signed_in, els, client):
    _consent(signed_in, "yes")
    entry = LedgerEntry.objects.get().entry_id
    client.force_login(User.objects.create_user("els@example.com", record=els))
    responses = [client.get(f"/receipts/{id_}/") for id_ in (entry, uuid.uuid4())]

    assert [response.status_code for response in responses] == [404, 404]
    first, second = (re.sub(r'value="[^"]*"', "", a.content.decode()) for a in responses)
    assert first == second


def test_receipts_page_without_statements_shows_a_hint(signed_in):
    assert "No receipts yet" in _page(signed_in, "/receipts/")


@pytest.mark.parametrize("place", ["channels", "address"])
def test_a_number_that_said_stop_is_said_where_its_switches_are_with_the_way_back(
    signed_in, noor, place
):
    number = "+46701740605"
    factories.record(factories.identify(("user_id", "noor"), ("phone", number)))
    assert "STOP" not in _card(_page(signed_in), place)
    Suppression.objects.create(
        channel="sms", address=number, reason="stopped", since=timezone.now()
    )

    card = _card(_page(signed_in), place)

    assert number in card
    assert "you texted STOP, so we send no messages to it, even if a switch here is on" in card
    assert "text START from it" in card
    # STOP concerns only text messages, so calls stay possible.
    assert card.count("STOP") == 1


@pytest.mark.parametrize("language", ["en", "nl", "sv", "da"])
def test_why_a_text_message_did_not_come_says_how_to_get_them_again(signed_in, noor, language):
    factories.decision(
        noor, outcome="skip", code="address_stopped", act={"channel": "sms", "topic": "visits"}
    )

    page = signed_in.get("/why/", headers={"accept-language": language}).content.decode()

    assert "STOP" in page
    assert "START" in page
    assert 'href="/preferences/#address"' in page


@pytest.mark.parametrize(
    ("what", "form", "place", "words"),
    [
        ("zone", {"zone": "Mars/Base"}, "zone", "We do not know this time zone."),
        ("budget", {"most": "many", "per": "week"}, "budget", "Enter a number of messages"),
        ("budget", {"most": "2", "per": "week"}, "budget", "Saved."),
        ("consent", {"purpose": "offers", "answer": "no"}, "consent-offers", "Saved."),
        ("data-use", {"purpose": "combine", "answer": "no"}, "consent-combine", "Saved."),
        ("objection", {"answer": "yes"}, "objection", "Saved."),
        ("channels", {"was": "", "on": ""}, "channels", "You changed no switch"),
        ("language", {"language": "da"}, "language", "Saved."),
    ],
)
def test_outcome_of_a_form_is_shown_at_the_form(signed_in, what, form, place, words):
    response = signed_in.post(f"/preferences/{what}/", form)
    page = html.unescape(_page(signed_in))

    assert words in _card(page, place)
    assert page.count(words) == 1
    # The redirect, and the page at its end.
    anchor = response["Location"].partition("#")[2]
    assert f'id="{anchor}"' in _card(page, place)


def test_messages_sent_before_a_withdrawal_are_named_at_its_form(signed_in, noor):
    factories.message(noor, at=timezone.now(), channel="email", subject="An owl for you")

    signed_in.post("/preferences/pause/", {"days": "7"})

    assert "An owl for you, by e-mail" in _card(_page(signed_in), "pause")
