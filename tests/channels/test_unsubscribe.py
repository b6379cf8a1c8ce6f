"""The unsubscribe link: it can only end messages, and only after a confirmation."""

import base64
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from channels.unsubscribe import SALT, UnsubscribeScope, read_token, sign_token, unsubscribe_url
from customers.models import ConsentState, Customer, LedgerEntry, Purpose
from tests import factories
from tests.butler.arrange import guest, record_statement, vocabulary
from tests.channels.wire_client import send

SCOPE = UnsubscribeScope(uuid.UUID(int=1), uuid.UUID(int=2), "offers", "offers")
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def noor(db):
    vocabulary()
    noor = guest(email="noor@example.com")
    record_statement(
        noor, "consent.given", "offers", occurred_at=timezone.now() - timedelta(days=1)
    )
    return noor


def link(customer, purpose: str = "offers", topic: str = "offers") -> str:
    url = unsubscribe_url(
        customer_id=customer.pk, message_id=uuid.uuid4(), purpose=purpose, topic=topic
    )
    return urlsplit(url).path


def consent(customer) -> str:
    return ConsentState.objects.get(customer=customer).state["consents"]["offers"]["state"]


def entries() -> list[tuple[str, str]]:
    return list(LedgerEntry.objects.order_by("seq").values_list("kind", "subject"))


# Contents of the link ----------------------------------------------------------------------


def test_a_token_is_read_back():
    assert read_token(sign_token(SCOPE)) == SCOPE
    assert read_token(sign_token(SCOPE._replace(purpose="", topic="rides"))).topic == "rides"


def test_a_link_fits_into_a_header_and_names_nobody(settings):
    settings.BUTLER_SITE_URL = "https://larkmoor.example/"
    url = unsubscribe_url(customer_id=SCOPE[0], message_id=SCOPE[1], purpose="offers", topic="x")

    assert url.startswith("https://larkmoor.example/u/")
    assert len(url) < 250
    assert url.isascii()
    assert "noor" not in url


def test_token_with_any_flipped_bit_is_refused():
    token = sign_token(SCOPE)

    for place, character in enumerate(token):
        for bit in range(8):
            flipped = token[:place] + chr(ord(character) ^ 1 << bit) + token[place + 1 :]
            assert read_token(flipped) is None, flipped


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("x" * 10_000, id="long"),
        pytest.param("\ud800.\x00", id="naughty"),
        pytest.param(signing.Signer(salt="other", sep=".").sign("AAAA"), id="another-purpose"),
        pytest.param(signing.Signer(salt=SALT, sep=".").sign("é"), id="not-ascii"),
        pytest.param(signing.Signer(salt=SALT, sep=".").sign("AAAA"), id="too-short"),
    ],
)
def test_foreign_or_malformed_token_is_not_read(token):
    assert read_token(token) is None


def test_a_token_of_another_purpose_is_no_token_of_ours():
    content = sign_token(SCOPE).partition(".")[0]
    assert base64.urlsafe_b64decode(content + "==")[:16] == SCOPE.customer_id.bytes

    assert read_token(signing.Signer(salt="butler.preferences", sep=".").sign(content)) is None


def test_a_key_that_was_replaced_still_reads_until_it_is_removed(settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a-new-key-" * 5
    settings.SECRET_KEY_FALLBACKS = [old]
    settings.SECRET_KEY, new = old, settings.SECRET_KEY
    token = sign_token(SCOPE)
    settings.SECRET_KEY = new

    assert read_token(token) == SCOPE
    settings.SECRET_KEY_FALLBACKS = []
    assert read_token(token) is None


def test_unsubscribe_link_of_a_record_merged_since_withdraws_once(noor, client):
    joined = factories.customer(("user_id", "noor-at-the-till"))
    Customer.objects.filter(pk=joined.pk).update(canonical=noor)
    client.post(link(noor))

    assert client.post(link(joined)).status_code == 200

    assert entries() == [("consent.given", "offers"), ("consent.withdrawn", "offers")]


# The page ----------------------------------------------------------------------------------


def test_looking_changes_nothing(noor):
    path, before = link(noor), entries()

    for method in ("get", "head"):
        for _ in range(3):
            response = getattr(Client(), method)(path)
            assert response.status_code == 200

    assert entries() == before
    assert consent(noor) == "given"


def test_the_page_asks_with_a_button_and_no_script(noor, client):
    Purpose.objects.filter(pk="offers").update(
        texts={"en": {"name": "<b>Offers</b>"}, "nl": {"name": "Aanbiedingen"}}
    )
    page = client.get(link(noor))
    html = page.content.decode()
    dutch = client.get(link(noor), headers={"Accept-Language": "nl"}).content.decode()

    assert "&lt;b&gt;Offers" in html
    assert "<script" not in html
    assert f'action="{link(noor)[:20]}' in html
    assert "Geen e-mail meer over ‘Aanbiedingen’?" in dutch
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"


@pytest.mark.django_db(transaction=True)
def test_a_mail_program_ends_it_without_cookies_or_redirect(running):
    vocabulary()
    noor = guest(email="noor@example.com")
    record_statement(
        noor, "consent.given", "offers", occurred_at=timezone.now() - timedelta(days=1)
    )
    path = link(noor)
    # A new process loads its templates at the first request.
    assert send(running.web, path, method="GET").status == 200

    response = send(running.web, path, ONE_CLICK, FORM)

    assert response.status == 200
    assert consent(noor) == "withdrawn"
    evidence = LedgerEntry.objects.get(kind="consent.withdrawn").document
    assert '"rfc8058"' in evidence


def test_the_button_ends_it_too_with_csrf_checks_on(noor):
    response = Client(enforce_csrf_checks=True).post(link(noor))

    assert response.status_code == 200
    assert consent(noor) == "withdrawn"
    assert '"click"' in LedgerEntry.objects.get(kind="consent.withdrawn").document


def test_ending_it_twice_is_ending_it_once(noor, client):
    path = link(noor)

    answers = [client.post(path).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert entries() == [("consent.given", "offers"), ("consent.withdrawn", "offers")]


def test_unsubscribing_from_a_message_without_consent_switches_its_topic_off_for_email(
    noor, client
):
    path = link(noor, purpose="", topic="rides")

    assert client.post(path).status_code == 200
    assert client.post(path).status_code == 200

    assert entries()[1:] == [("preference.set", "allow")]
    [setting] = ConsentState.objects.get(customer=noor).state["settings"]
    stated = {name: setting[name] for name in ("name", "value", "channel", "topic")}
    assert stated == {"name": "allow", "value": False, "channel": "email", "topic": "rides"}
    assert consent(noor) == "given"


def test_a_kind_that_is_gone_ends_all_mail(noor, client):
    assert client.post(link(noor, purpose="", topic="no-such-topic")).status_code == 200

    assert ConsentState.objects.get(customer=noor).channels_off == ["email"]


def test_link_of_an_unknown_customer_answers_as_usual(noor, client):
    path = urlsplit(unsubscribe_url(**SCOPE._asdict())).path

    assert client.post(path).status_code == 200
    assert entries() == [("consent.given", "offers")]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_wrong_link_is_not_found_and_changes_nothing(noor, client, method):
    response = getattr(client, method)("/u/" + "A" * 60 + ".x/")

    assert response.status_code == 404
    assert entries() == [("consent.given", "offers")]


def test_a_link_gives_nothing_back(noor, client):
    client.post(link(noor))

    # No link can give a consent.
    for path in (link(noor), link(noor, purpose="", topic="offers")):
        client.post(path)
    assert consent(noor) == "withdrawn"
    assert not [
        kind for kind, _ in entries()[1:] if kind in {"consent.given", "preference.cleared"}
    ]


def test_put_request_is_refused(noor, client):
    assert client.put(link(noor)).status_code == 405
