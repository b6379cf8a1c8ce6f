import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import AccessLogEntry, Purpose, Topic
from tests import factories
from tests.markup import tidy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _purposes(db):
    Purpose.objects.create(
        key="offers", kind="contact", texts={"en": {"name": "Offers"}, "nl": {"name": "Acties"}}
    )
    Purpose.objects.create(key="app_and_till", kind="use", texts={"en": {"name": "Together"}})
    Topic.objects.create(key="visits", texts={"en": {"name": "Your visits"}})


def _read(client, path: str = "/why/", **headers) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_sent_message_shows_its_reason_and_links_to_itself(signed_in, noor):
    message = factories.message(noor, channel="email", state="delivered", subject="See you soon")
    factories.decision(noor, message_id=message.pk, code="relation_live")

    page = _read(signed_in)

    assert "Your visits" in page
    assert "See you soon" in page
    assert "By e-mail: arrived." in page
    assert "This is about something that you ordered, booked or asked for." in page
    assert f'href="/inbox/{message.pk}/"' in page
    assert 'href="/preferences/#channels"' in page


def test_unsent_message_shows_its_reason_and_links_to_the_preference(signed_in, noor):
    factories.decision(noor, outcome="skip", code="consent_withdrawn", act={"purpose": "offers"})

    page = _read(signed_in)

    assert "By e-mail: not sent." in page
    assert "“Offers”" in page
    assert 'href="/preferences/#consent-offers"' in page
    # A message that was not sent has no page.
    assert "/inbox/" not in re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL)


def test_message_skipped_before_a_channel_was_chosen_names_none(signed_in, noor):
    act = {"channel": "", "topic": "visits"}
    factories.decision(noor, outcome="skip", code="superseded", act=act)

    page = _read(signed_in)

    assert "<strong>Not sent.</strong>A newer message replaced this one." in tidy(page)


def test_reason_links_to_an_existing_preference(signed_in, noor):
    for code in ("paused", "budget_used", "quiet_hours", "only_when_asked", "channel_off"):
        factories.decision(noor, outcome="skip", code=code)
    factories.decision(noor, outcome="skip", code="address_bounced")
    factories.decision(noor, outcome="skip", code="consent_refused", act={"purpose": "offers"})
    factories.decision(noor, outcome="skip", code="no_consent", act={"purpose": "app_and_till"})

    places = set(re.findall(r'href="/preferences/#([^"]+)"', _read(signed_in)))
    ids = set(re.findall(r'id="([^"]+)"', _read(signed_in, "/preferences/")))

    assert len(places) == 8
    assert places <= ids


def test_deferred_message_shows_until_when_it_waits(signed_in, noor):
    until = timezone.now() + timedelta(hours=8)
    factories.decision(noor, outcome="defer", code="quiet_hours", until=until)

    assert f"By e-mail: waits, {until:%a} {until.day} " in _read(signed_in)


def test_sent_and_not_sent_can_be_told_apart(signed_in, noor):
    factories.decision(noor, code="relation_live")
    factories.decision(noor, outcome="skip", code="no_address", act={"channel": "sms"})

    assert "By text message" not in _read(signed_in, "/why/?sent=yes")
    assert "By e-mail" not in _read(signed_in, "/why/?sent=no")
    both = _read(signed_in, "/why/?sent=nonsense")
    assert "By text message" in both
    assert "By e-mail" in both


def test_older_decisions_are_a_page_further(signed_in, noor):
    for number in range(22):
        moment = timezone.now() + timedelta(seconds=number)
        factories.decision(noor, at=moment, act={"topic": f"topic-{number:02}"})

    first = _read(signed_in, "/why/?sent=yes")
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = _read(signed_in, "/why/" + older[1])

    assert "topic-00" not in first
    assert "topic-00" in second
    assert "sent=yes" in older[1]
    assert signed_in.get("/why/?cursor=nonsense").status_code == 302


@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "niet verstuurd"), ("sv", "skickades inte"), ("da", "ikke sendt")],
)
def test_the_reason_is_said_in_the_readers_language(signed_in, noor, language, words):
    factories.decision(noor, outcome="skip", code="consent_withdrawn", act={"purpose": "offers"})

    page = _read(signed_in, **{"Accept-Language": language})

    assert words in page
    assert "took it back" not in page
    assert f'<html lang="{language}">' in page


def test_an_unknown_reason_is_still_a_sentence(signed_in, noor):
    factories.decision(noor, outcome="skip", code="a_code_of_tomorrow")

    assert "We could not read a part of your record" in _read(signed_in)


def test_another_customers_reasons_are_not_there(signed_in, els):
    factories.decision(els)
    AccessLogEntry.objects.create(customer=els, at=timezone.now(), actor="staff:Sam", what="page")

    assert "No decisions" in _read(signed_in)
    assert "No entries yet" in _read(signed_in, "/why/access-log/")


def test_access_log_shows_the_customer_role_and_reason(signed_in, noor):
    now = timezone.now()
    AccessLogEntry.objects.create(
        customer=noor, at=now, actor="staff:sam", role="desk", what="page", reason="call"
    )
    AccessLogEntry.objects.create(customer=noor, at=now, actor="source:call desk", what="timeline")
    AccessLogEntry.objects.create(
        customer=noor, at=now, actor="staff:iris", what="order", reason="She asked <b>me</b>"
    )

    answer = signed_in.get("/why/access-log/").content.decode()
    page = html.unescape(answer)

    assert "<strong>Sam</strong>" in page
    assert "looked at your page, because you called." in tidy(page)
    assert "<strong>call desk</strong>" in page
    assert "She asked &lt;b&gt;me&lt;/b&gt;" in answer


def test_the_same_look_again_and_again_is_one_line_without_our_codes(signed_in, noor):
    now = timezone.now()
    for minute in range(4):
        at = now - timedelta(minutes=minute)
        AccessLogEntry.objects.create(
            customer=noor, at=at, actor="source:call desk", role="api", what="messages"
        )
    AccessLogEntry.objects.create(
        customer=noor, at=now - timedelta(hours=1), actor="staff:sam", role="desk", what="a-new-one"
    )

    page = html.unescape(_read(signed_in, "/why/access-log/"))

    assert page.count("looked at your messages") == 1
    assert "4 times" in page
    assert "(one of our systems)" in page
    assert "(call desk)" in page
    assert "looked at your record" in page
    assert "a-new-one" not in page
