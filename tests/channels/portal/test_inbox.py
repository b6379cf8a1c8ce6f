import re
import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from butler.messages.email_layout import EmailContent, render_text
from butler.models import Message
from channels.pages.presenters import messages
from customers.events.log import InternalEvent, append_internal_events
from customers.models import Event
from tests import factories
from tests.markup import tidy

pytestmark = pytest.mark.django_db


def letter(paragraphs: list[list[str]]) -> EmailContent:
    return EmailContent("en", "Larkmoor", "Your order", paragraphs, "", "", "It is your order.", [])


def test_messages_of_every_channel_say_what_became_of_them(signed_in, noor):
    factories.message(noor, subject="In the inbox")
    factories.message(noor, subject="Mailed", channel="email", state="delivered")
    factories.message(noor, subject="Texted", channel="sms", state="uncertain")
    factories.message(noor, subject="Bounced one", channel="email", state="bounced")

    page = signed_in.get("/inbox/").content.decode()

    for words in ("In the inbox", "Mailed", "by text message", "we do not know whether it arrived"):
        assert words in page
    assert "did not arrive: the address does not accept it" in page


def test_a_message_that_was_taken_back_says_only_that(signed_in, noor):
    message = factories.message(noor, state="withdrawn", subject="Wrong price", text="1 euro")

    pages = signed_in.get("/inbox/"), signed_in.get(f"/inbox/{message.pk}/")

    for page in pages:
        assert "A withdrawn message" in page.content.decode()
        assert "Wrong price" not in page.content.decode()
        assert "1 euro" not in page.content.decode()


def test_empty_inbox_shows_a_hint(signed_in):
    assert "You have no messages yet." in signed_in.get("/inbox/").content.decode()


def test_the_unread_are_counted_on_every_page(signed_in, noor):
    factories.message(noor)
    factories.message(noor)

    for path in ("/", "/orders/", "/inbox/"):
        page = signed_in.get(path).content.decode()
        assert ", 2 unread" in page


def test_opening_a_message_is_seeing_it_and_saying_so_is_reading_it(signed_in, noor):
    message = factories.message(noor)

    page = signed_in.get(f"/inbox/{message.pk}/").content.decode()
    message.refresh_from_db()
    assert message.seen_at
    assert message.read_at is None
    assert "Mark as read" in page

    response = signed_in.post(f"/inbox/{message.pk}/read/")
    message.refresh_from_db()
    assert response.status_code == 302
    assert message.read_at
    assert Event.objects.filter(name="Message Read").count() == 1
    assert "Mark as read" not in signed_in.get(f"/inbox/{message.pk}/").content.decode()


def test_looking_at_the_list_is_seeing_what_is_on_it(signed_in, noor):
    factories.message(noor)

    signed_in.get("/inbox/")

    assert Message.objects.get().seen_at
    assert Message.objects.get().read_at is None


def test_get_request_to_mark_a_message_read_is_refused(signed_in, noor):
    message = factories.message(noor)

    assert signed_in.get(f"/inbox/{message.pk}/read/").status_code == 405


def test_reading_needs_the_form_of_our_own_page(noor, signed_in):
    message = factories.message(noor)
    signed_in.handler.enforce_csrf_checks = True

    assert signed_in.post(f"/inbox/{message.pk}/read/").status_code == 403
    assert not Event.objects.filter(name="Message Read").exists()


@pytest.mark.parametrize("end", ["", "read/"])
def test_anothers_message_is_not_there_with_the_same_words(signed_in, els, end):
    theirs = factories.message(els)
    send = signed_in.post if end else signed_in.get

    responses = [send(f"/inbox/{id_}/{end}") for id_ in (theirs.pk, uuid.uuid4())]

    assert [response.status_code for response in responses] == [404, 404]
    first, second = (_plain(response) for response in responses)
    assert first == second
    theirs.refresh_from_db()
    assert theirs.seen_at is None


def _plain(answer) -> str:
    return re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", answer.content.decode())


def test_older_messages_are_a_page_further(signed_in, noor):
    for number in range(27):
        factories.message(noor, subject=f"Message {number:02}", at=timezone.now())

    first = signed_in.get("/inbox/").content.decode()
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = signed_in.get("/inbox/" + older[1]).content.decode()

    assert "Message 00" not in first
    assert "Message 00" in second
    assert "live.js" in first
    # Pages of older messages are not updated live.
    assert "live.js" not in second


def test_the_parts_are_the_list_without_the_page(signed_in, noor):
    factories.message(noor, subject="Come and see")

    parts = signed_in.get("/inbox/?parts").content.decode()

    assert parts.lstrip().startswith('<template id="parts"')
    assert "Come and see" in parts
    assert "<html" not in parts


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("No link", [("No link", "")]),
        (
            "See https://park.example/orders/LK-1/.",
            [("See ", ""), ("https://park.example/orders/LK-1/", "/orders/LK-1/"), (".", "")],
        ),
        ("https://evil.example/x", [("https://evil.example/x", "")]),
        ("https://park.example.evil.example/x", [("https://park.example.evil.example/x", "")]),
        ("javascript:alert(1)", [("javascript:alert(1)", "")]),
        ("https://park.example", [("https://park.example", "")]),
    ],
    ids=range(6),
)
def test_only_our_own_addresses_can_be_followed(text, pieces):
    assert [tuple(piece) for piece in messages.split_links(text, "https://park.example")] == pieces


def test_an_address_of_ours_that_leads_elsewhere_is_text():
    # A browser reads a path that begins with two slashes as another host.
    for text in ("https://park.example//evil.example/", "https://park.example/\\evil.example"):
        pieces = messages.split_links(text, "https://park.example/")

        assert not any(piece.address.startswith(("//", "/\\")) for piece in pieces)


def test_footer_of_an_email_is_left_out_of_the_inbox(signed_in, noor):
    text = "See you at ten.\n\n-- \nLarkmoor\nStop: http://localhost:8000/u/token/"
    message = factories.message(noor, channel="email", text=text)

    page = signed_in.get(f"/inbox/{message.pk}/").content.decode()

    assert "See you at ten." in page
    assert "/u/token/" not in page


def test_a_mail_is_not_folded_as_mails_are_and_a_list_stays_a_list(signed_in, noor):
    sentence = "You need not walk there for nothing: we will tell you as soon as it opens again."
    written = render_text(letter(paragraphs=[[sentence], ["2 × Day ticket", "1 × Breakfast"]]))
    assert sentence not in written
    message = factories.message(noor, channel="email", text=written)

    page = signed_in.get(f"/inbox/{message.pk}/").content.decode()

    assert sentence in page
    assert "2 × Day ticket<br>1 × Breakfast" in page


def test_a_text_message_is_called_by_its_first_sentence(signed_in, noor):
    text = "Your table at The Long Table is ready. We will hold it for you until 18:35."
    factories.message(noor, channel="sms", subject="", text=text, state="delivered")
    long = "a " * 60
    factories.message(noor, channel="sms", subject="", text=long, state="delivered")

    page = signed_in.get("/inbox/").content.decode()

    assert ">Your table at The Long Table is ready</strong>" in tidy(page)
    assert f">{'a ' * 34}a…</strong>" in tidy(page)


def test_message_sent_by_two_channels_is_listed_once_with_both_outcomes(signed_in, noor):
    run = uuid.uuid4()
    message = factories.message(noor, subject="Your order LK-1", run_id=run, state="delivered")
    factories.message(noor, subject="Your order LK-1", run_id=run, channel="email", state="bounced")

    listed = signed_in.get("/inbox/").content.decode()
    opened = signed_in.get(f"/inbox/{message.pk}/").content.decode()

    assert listed.count("Your order LK-1") == 1
    for page in (listed, opened):
        assert "arrived</span>" in tidy(page)
        assert (
            'also by e-mail ·<span class="warning-text">did not arrive: the address does not accept it'
            in tidy(page)
        )


def test_timeline_names_the_message_and_the_preference_of_an_event(signed_in, noor):
    sent = factories.message(noor, subject="Your order LK-1", channel="email")
    withdrawn = factories.message(noor, subject="Wrong price", state="withdrawn")
    now = timezone.now()
    events = [
        InternalEvent(
            noor.pk,
            "message",
            "Message Sent",
            {"message": str(message.pk), "channel": message.channel},
            now,
        )
        for message in (sent, withdrawn)
    ]
    muted = {"subject": "allow", "topic": "rides", "value": False}
    events.append(InternalEvent(noor.pk, "control", "Preference Set", muted, now))
    with transaction.atomic():
        append_internal_events(events, actor="", now=now)

    moments = signed_in.get("/").content.decode().partition('id="timeline"')[2]

    assert "Your order LK-1 · by e-mail" in moments
    assert "Wrong price" not in moments
    assert "by Butler" not in moments
    assert "messages" in moments
    assert ": no" in moments
