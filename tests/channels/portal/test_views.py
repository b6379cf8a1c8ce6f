import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from channels import dev_outbox
from customers.models import Event, User
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_development")]


def _order(number: str, *, name: str = "Lantern Night", days: int = 9, **facts) -> None:
    now = timezone.now()
    properties = {
        "name": name,
        "visit_date": (timezone.localdate() + timedelta(days=days)).isoformat(),
        "currency": "EUR",
        "products": [{"line_id": "a", "name": "Day ticket", "quantity": 2, "price": "34.50"}],
        **facts,
    }
    placed = factories.incoming_event(
        ("user_id", "noor"),
        name="Order Completed",
        about=f"order:{number}",
        properties=properties,
        at=now,
    )
    factories.record(placed, at=now)


def test_a_stranger_reads_what_this_is_and_can_sign_in(client):
    page = client.get("/").content.decode()

    assert "One customer record for every channel" in page
    assert 'action="/sign-in/"' in page
    assert "live.js" not in page


def test_customers_see_their_own_record(signed_in):
    _order("LK-1")

    page = signed_in.get("/").content.decode()

    assert "Hello Noor" in page
    assert "Lantern Night" in page
    assert "69.00" in page
    assert "You placed an order" in page
    assert "noor@example.com" in page


def test_customer_cannot_see_another_record(signed_in):
    other = factories.customer(("email", "els@example.com"), first_name="Els")

    page = signed_in.get("/?customer=" + str(other.id)).content.decode()

    assert "Els" not in page
    assert "els@example.com" not in page


def test_text_of_a_customer_is_escaped_in_the_page(signed_in):
    _order("LK-1", name="<script>alert(1)</script>", party=[{"name": "<img src=x>"}])

    page = signed_in.get("/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "odd",
    [
        {"name": ["not", "text"]},
        {"party": "nobody"},
        {"products": [{"quantity": "many", "price": None}, 7]},
        {"total": "a lot", "currency": 12},
        {"visit_date": "soon", "visit_time": {"h": 1}},
    ],
    ids=str,
)
def test_an_odd_order_is_shown_as_well_as_can_be(signed_in, odd):
    _order("LK-1", **odd)

    assert signed_in.get("/").status_code == 200


def test_a_cancelled_order_is_no_next_visit(signed_in):
    _order("LK-1")
    now = timezone.now()
    factories.record(
        factories.order("LK-1", ("user_id", "noor"), name="Order Cancelled", at=now), at=now
    )

    page = signed_in.get("/").content.decode()

    assert "No visit planned" in page
    assert "Cancelled" in page


def test_next_visit_leads_to_its_ticket_and_calls_no_number_a_code(signed_in):
    _order("LK-1")

    page = signed_in.get("/").content.decode()

    visit = re.search(r'<section class="pass".*?</section>', page, re.DOTALL)[0]
    assert "Code" not in visit
    assert re.search(r'href="/orders/LK-1/#take">Show your ticket<', visit)


def test_a_login_without_a_record_is_told_so(client):
    client.force_login(User.objects.create_user("new@example.com"))

    page = client.get("/").content.decode()

    assert "No customer record" in page


def test_the_parts_are_the_page_without_its_frame(signed_in):
    _order("LK-1")
    whole, parts = signed_in.get("/").content.decode(), signed_in.get("/?parts").content.decode()

    assert parts.lstrip().startswith("<template")
    phone = re.search(r'data-part="phone">(.*?)</div>\s*<ol', parts, re.DOTALL)
    assert phone
    assert "Lantern Night" in phone.group(1)
    assert len(parts) < len(whole)


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/sign-in/code/", "/clock/"])
def test_pages_are_never_kept(client, path):
    assert "no-store" in client.get(path)["Cache-Control"]


def test_nothing_but_our_own_files_may_run(signed_in, settings):
    policy = signed_in.get("/")["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert f"connect-src 'self' {settings.LIVE_URL}".strip() + ";" in policy
    page = signed_in.get("/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page)


def test_a_page_is_light(signed_in):
    for number in range(6):
        _order(f"LK-{number}", days=number)
    page = signed_in.get("/").content
    files = [
        Path(finders.find(name)).stat().st_size
        for name in (
            "pages/base.css",
            "portal/pages.css",
            "portal/page.js",
            "portal/live.js",
            "pages/stream.js",
            "pages/icon.svg",
        )
    ]

    assert files[0] <= 15_000
    assert len(page) + sum(files) < 50_000


@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "Je volgende bezoek"), ("sv", "Ditt nästa besök"), ("da", "Dit næste besøg")],
)
def test_the_page_speaks_the_readers_language(signed_in, language, words):
    _order("LK-1")

    page = signed_in.get("/", headers={"Accept-Language": language}).content.decode()

    assert words in page
    assert f'<html lang="{language}">' in page


def test_a_chosen_language_stays(client):
    client.post("/language/", {"language": "sv", "next": "/"})

    assert '<html lang="sv">' in client.get("/").content.decode()


def test_the_next_visit_says_when_the_code_was_scanned(signed_in):
    _order("LK-1")
    now = timezone.now()
    factories.record(
        factories.order(
            "LK-1", ("order", "LK-1"), ("user_id", "noor"), name="Ticket Scanned", at=now
        ),
        at=now,
    )

    page = signed_in.get("/").content.decode()

    assert "Through the gate at" in page
    # In the time zone of the park.
    assert f">{timezone.localtime(now):%H:%M %Z}</time>" in page


# Signing in --------------------------------------------------------------------------


def _ask(client, email: str = "noor@example.com") -> dict[str, str]:
    page = client.post("/sign-in/", {"email": email}, follow=True)
    assert page.status_code == 200
    handle = re.search(r'name="handle" value="([^"]+)"', page.content.decode())
    assert handle
    return {"email": email, "handle": handle.group(1)}


def _code() -> str:
    match = re.search(r"\b\d{6}\b", dev_outbox.read_messages()[0].text)
    assert match
    return match.group()


def test_a_code_from_the_mail_opens_the_record(client, noor):
    form = _ask(client)

    response = client.post("/sign-in/code/", {**form, "code": _code()}, follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert "Hello Noor" in response.content.decode()


def test_a_code_may_be_typed_with_blanks(client, noor):
    form = _ask(client)
    code = _code()

    response = client.post("/sign-in/code/", {**form, "code": f" {code[:3]} {code[3:]}"})

    assert response.status_code == 302


def test_a_wrong_code_says_so_and_can_be_tried_again(client, noor):
    form, wrong = _ask(client), "000000" if _code() != "000000" else "000001"

    response = client.post("/sign-in/code/", {**form, "code": wrong})

    assert response.status_code == 403
    assert "The code is wrong" in response.content.decode()
    assert client.post("/sign-in/code/", {**form, "code": _code()}).status_code == 302


def test_page_for_the_code_can_be_loaded_again_without_another_code(client, noor):
    _ask(client)
    code = _code()
    sent = len(dev_outbox.read_messages())

    page = client.get("/sign-in/code/").content.decode()
    handle = re.search(r'name="handle" value="([^"]+)"', page)[1]
    answer = client.post("/sign-in/code/", {"handle": handle, "code": code})

    assert "noor@example.com" in page
    assert len(dev_outbox.read_messages()) == sent
    assert answer.status_code == 302


def test_code_of_an_earlier_request_of_the_browser_counts(client, noor):
    _ask(client)
    earlier = _code()
    form = _ask(client)

    assert client.post("/sign-in/code/", {**form, "code": earlier}).status_code == 302


def test_code_of_another_address_does_not_count(client, noor):
    _ask(client, "eli@example.com")
    elis = _code()
    form = _ask(client)

    assert client.post("/sign-in/code/", {**form, "code": elis}).status_code == 403


def test_code_that_another_browser_asked_for_does_not_count(client, noor):
    _ask(Client())
    strangers = _code()
    form = _ask(client)

    assert client.post("/sign-in/code/", {**form, "code": strangers}).status_code == 403


def test_wrong_codes_count_for_each_request_of_the_browser(client, noor):
    _ask(client)
    earlier = _code()
    form = _ask(client)
    for _ in range(5):
        client.post("/sign-in/code/", {**form, "code": "no"})

    answers = [client.post("/sign-in/code/", {**form, "code": code}) for code in (earlier, _code())]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_page_for_the_code_ends_with_the_code(client, noor, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    _ask(client)
    time_machine.move_to("2026-11-21T12:10:01Z", tick=False)

    assert client.get("/sign-in/code/")["Location"] == "/sign-in/"


def test_passkey_offer_does_not_shorten_the_time_for_the_code(client, noor, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    _ask(client)
    client.post("/sign-in/passkey/options/")
    time_machine.move_to("2026-11-21T12:09:00Z", tick=False)

    assert client.get("/sign-in/code/").status_code == 200


def test_an_unknown_address_gets_the_same_answer(client, noor):
    known_answer = client.post("/sign-in/", {"email": "noor@example.com"}, follow=True)
    unknown_answer = client.post("/sign-in/", {"email": "nobody@example.com"}, follow=True)

    def plain(page) -> str:
        text = re.sub(r'value="[^"]*"', "", page.content.decode())
        return text.replace("nobody@", "noor@")

    assert unknown_answer.status_code == known_answer.status_code
    assert plain(unknown_answer) == plain(known_answer)


def test_invalid_address_at_sign_in_shows_an_example(client):
    response = client.post("/sign-in/", {"email": "noor"})

    assert response.status_code == 422
    assert "such as noor@example.com" in response.content.decode()


def test_signing_out_ends_the_session(signed_in):
    signed_in.post("/sign-out/")

    assert "One customer record for every channel" in signed_in.get("/").content.decode()


@pytest.mark.parametrize("path", ["/sign-out/", "/demo/look-as-noor/", "/demo/order-by-phone/"])
def test_get_request_to_a_form_is_refused(client, path):
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/demo/look-as-noor/", "/demo/order-by-phone/"])
def test_the_buttons_of_the_example_are_for_development_alone(client, settings, path):
    settings.DEBUG = False

    assert client.post(path).status_code == 404
    assert not Event.objects.filter(name="Order Completed").exists()
    assert "Sign in as Noor" not in client.get("/").content.decode()


def test_the_people_of_the_example_act_on_noor_alone(client, signed_in, els):
    assert "order-by-phone" in signed_in.get("/").content.decode()

    client.force_login(User.objects.create_user("els@example.com", record=els))

    for path in ("/", "/?parts"):
        page = client.get(path).content.decode()
        assert "Els" in page
        assert "/demo/" not in page


def test_an_empty_park_says_how_to_fill_it(client):
    response = client.post("/demo/look-as-noor/")

    assert response.status_code == 404
    assert "load_themepark" in response.content.decode()


@pytest.mark.usefixtures("_development")
def test_visitor_signs_in_with_a_phone_number(client, sent_texts):
    form = client.get("/sign-in/").content.decode()
    page = client.post("/sign-in/", {"email": "06 12345098"}, follow=True).content.decode()
    handle = re.search(r'name="handle" value="([^"]+)"', page)[1]

    signed_in = client.post("/sign-in/code/", {"handle": handle, "code": sent_texts[-1].code})

    assert "Your e-mail address or mobile number" in form
    assert "06 12345098" in page
    assert "START" in page
    assert signed_in.status_code == 302
    assert "+31612345098" in client.get("/").content.decode()


def test_site_without_sms_asks_for_an_e_mail_address(client, settings):
    settings.BUTLER_TEXT_SENDER = ""

    form = client.get("/sign-in/").content.decode()
    answer = client.post("/sign-in/", {"email": "+31612345098"})

    assert "mobile number" not in form
    assert "This is not an e-mail address" in answer.content.decode()
