"""Signing in with a code by SMS: as by mail, and with limits because each SMS costs money."""

import logging

import pytest
from django.conf import settings as live_settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.actions import code_messages, sign_in_codes
from customers.models import SignInCode, Suppression, User
from tests import factories, texts
from tests.customers.identity.company import WireSource
from tests.customers.identity.signed_in import SignedIn
from tests.wsgi_client import WsgiClient

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sent_texts"),
]

PHONE = "+31612345098"


def post(body: dict[str, str], **headers: str):
    return WsgiClient(headers=headers).post("/api/sign-in/", body, content_type="application/json")


def post_from(network: str, body: dict[str, str]):
    client = WsgiClient(REMOTE_ADDR=network)
    return client.post("/api/sign-in/", body, content_type="application/json")


def call(number: str, phone: str = PHONE) -> None:
    """Store a call from a phone."""
    factories.record(
        factories.incoming_event(
            ("phone", phone),
            name="Call Started",
            about=f"call:{number}",
            properties={"call_id": number, "direction": "in"},
        ),
        by=factories.sender(factories.source("Calls", "phone")),
    )


def test_number_gets_a_code_that_opens_its_calls():
    call("C-1")

    session = SignedIn(PHONE)

    assert [text.number for text in texts.sent] == [PHONE]
    assert mail.outbox == []
    assert "Call Started" in session.timeline()
    assert session.identifiers() == {f"phone {PHONE}"}
    assert (User.objects.get().phone, User.objects.get().email) == (PHONE, None)


@pytest.mark.parametrize(
    "spelling",
    [
        "06 12345098",
        "0031612345098",
        "(+31) 6-1234 5098",
        "\uff0b\uff13\uff11\uff16\uff11\uff12\uff13\uff14\uff15\uff10\uff19\uff18",
        "\u200b+31612345098\u200e",
    ],
    ids=["national", "zeros", "punctuation", "fullwidth", "invisible"],
)
def test_all_spellings_of_a_number_are_one_number(spelling):
    SignedIn(spelling)
    SignedIn(PHONE)

    assert {text.number for text in texts.sent} == {PHONE}
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+31201234567", "no-code-number"),
        ("+319001234", "no-code-number"),
        ("+318001234", "no-code-number"),
        ("112", "not-a-number"),
        ("1008", "not-a-number"),
        ("+00612345098", "no-code-number"),
        ("+3161234509O", "not-a-number"),
        ("06-NOORNOOR", "not-a-number"),
        ("+31612345098;ext=5", "not-a-number"),
        ("+31612345098#5", "not-a-number"),
        ("+31612345098,,5", "not-a-number"),
        ("anonymous", "not-a-number"),
        ("", "not-a-number"),
        ("9" * 200, "not-a-number"),
    ],
)
def test_number_that_cannot_get_a_code_is_refused(text, kind):
    answer = post({"phone": text})

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, kind)
    assert texts.sent == []
    assert not SignInCode.objects.exists()


def test_landline_of_a_customer_is_refused_as_any_landline():
    landline, other = "+31201234567", "+31207654098"
    factories.customer(("phone", landline), name="Noor")

    answers = [post({"phone": number}).content for number in (landline, other)]

    assert answers[0] == answers[1]


def test_known_shared_and_unknown_numbers_get_the_same_answer():
    shop = WireSource("Shop", "site", ids="shop")
    shared, unknown = "+31612345101", "+31612345102"
    SignedIn(PHONE)
    shop.identify(1, "noor", phone=shared)
    shop.identify(2, "bram", phone=shared)
    texts.sent.clear()

    def ask(phone: str) -> tuple[object, ...]:
        with CaptureQueriesContext(connection) as queries:
            answer = post({"phone": phone})
        return answer.status_code, answer.json().keys(), len(answer.content), len(queries)

    assert ask(PHONE) == ask(shared) == ask(unknown)
    assert len({len(text.body) for text in texts.sent}) == 1


def test_request_for_a_code_reads_no_customer():
    call("C-1")

    with CaptureQueriesContext(connection) as queries:
        post({"phone": PHONE})

    read = " ".join(query["sql"] for query in queries)
    assert "customers_user" not in read
    assert "customers_identifier" not in read


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "is your code"), ("nl", "is je code"), ("sv", "är din kod"), ("da", "er din kode")],
)
def test_text_names_the_company_and_the_host(settings, language, words):
    settings.BUTLER_COMPANY = "Larkmoor"
    settings.BUTLER_SITE_URL = "https://my.larkmoor.example:8443"

    post({"phone": PHONE}, **{"Accept-Language": language, "Host": "localhost"})

    body = texts.sent[-1].body
    assert words in body
    assert "Larkmoor" in body
    assert body.splitlines()[-1] == f"@my.larkmoor.example #{texts.sent[-1].code}"
    assert len(body) <= 160


def test_host_of_the_request_is_not_in_the_text():
    post({"phone": PHONE}, Host="testserver")

    assert "testserver" not in texts.sent[-1].body


def test_neither_code_nor_number_is_logged(caplog, capsys):
    caplog.set_level(logging.DEBUG)

    SignedIn(PHONE)

    logged = caplog.text + "".join(capsys.readouterr())
    assert texts.sent[-1].code not in logged
    assert PHONE[3:] not in logged


def test_code_of_a_number_is_valid_for_its_own_request_only():
    mailbox, number = post({"email": "noor@example.com"}), post({"phone": PHONE})
    mailed = mail.outbox[-1].body.split()
    code_of_mailbox = next(word for word in mailed if word.isdecimal() and len(word) == 6)

    crossed = [
        post({"request": number.json()["request"], "code": code_of_mailbox}),
        post({"request": mailbox.json()["request"], "code": texts.sent[-1].code}),
    ]

    assert [answer.status_code for answer in crossed] == [403, 403]
    assert not User.objects.exists()


def test_login_of_a_number_and_login_of_a_mailbox_are_two():
    SignedIn(PHONE)
    SignedIn("noor@example.com")

    assert sorted(User.objects.values_list("email", "phone"), key=str) == [
        ("noor@example.com", None),
        (None, PHONE),
    ]


def test_number_that_a_shop_states_opens_nothing_of_its_account():
    shop = WireSource("Shop", "site", ids="shop")
    shop.identify(1, "noor", phone=PHONE)
    shop.order(2, "A-1", "noor")

    assert SignedIn(PHONE).orders() == []


def test_user_id_spelled_like_a_number_opens_as_this_number():
    shop = WireSource("Shop", "site", ids="shop")
    shop.order(1, "A-1", PHONE)

    assert SignedIn(PHONE).orders() == ["A-1"]


def test_stop_does_not_stop_a_code():
    Suppression.objects.create(channel="sms", address=PHONE, reason="stopped", since=timezone.now())

    SignedIn(PHONE)

    assert Suppression.objects.get().lifted_at is None


def test_right_code_lifts_a_bounce():
    Suppression.objects.create(channel="sms", address=PHONE, reason="bounced", since=timezone.now())

    SignedIn(PHONE)

    assert Suppression.objects.get().lifted_at is not None


class TestBudgets:
    """The codes that a number, a country and a network may request."""

    def test_number_gets_five_codes_an_hour(self, settings):
        settings.BUTLER_CODES_PER_ADDRESS = 5

        answers = [
            post_from(f"192.0.2.{n % 2}", {"phone": spelling})
            for n, spelling in enumerate([PHONE, "06 12345098", PHONE] * 2)
        ]

        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert int(answers[-1]["Retry-After"]) > 0

    def test_number_gets_ten_codes_a_day(self, settings, time_machine):
        settings.BUTLER_CODES_PER_ADDRESS, settings.BUTLER_SMS_CODES_PER_DAY = 5, 10
        statuses = []
        for hour in range(3):
            time_machine.move_to(f"2026-11-21T{hour + 10}:30:00Z", tick=False)
            sign_in_codes.delete_expired_codes(now=timezone.now())
            statuses += [
                post_from(f"192.0.2.{n % 2}", {"phone": PHONE}).status_code for n in range(4)
            ]

        assert statuses == [202] * 10 + [429] * 2

    def test_one_network_leaves_codes_of_a_day_to_other_networks(self, settings):
        settings.BUTLER_SMS_CODES_PER_DAY = 3

        strangers = [post_from("192.0.2.1", {"phone": PHONE}).status_code for _ in range(3)]
        customers = post_from("192.0.2.2", {"phone": PHONE}).status_code

        assert (strangers, customers) == ([202, 202, 429], 202)

    def test_country_abroad_gets_its_codes_of_the_day(self, settings):
        settings.BUTLER_SMS_CODES_ABROAD = 2
        abroad = [f"+4670174063{last}" for last in range(3)]

        statuses = [post({"phone": phone}).status_code for phone in [*abroad, PHONE]]

        assert statuses == [202, 202, 429, 202]

    def test_country_of_the_company_has_its_own_number(self, settings):
        settings.BUTLER_SMS_CODES_AT_HOME = 1

        phones = [PHONE, "+31612345101", "+46701740635"]

        assert [post({"phone": phone}).status_code for phone in phones] == [202, 429, 202]

    def test_network_shares_its_codes_between_mail_and_sms(self, settings):
        settings.BUTLER_CODES_PER_NETWORK = 2
        post({"email": "noor@example.com"})
        post({"phone": PHONE})

        assert post({"phone": "+31612345101"}).status_code == 429
        assert post({"email": "eli@example.com"}).status_code == 429

    def test_limit_of_zero_stops_all_codes(self, settings):
        settings.BUTLER_SMS_CODES_ABROAD = 0

        assert post({"phone": "+46701740635"}).status_code == 429

    def test_only_listed_beginnings_get_codes(self, settings):
        settings.BUTLER_SMS_PREFIXES = ("+31", "+46701")

        phones = [PHONE, "+46701740635", "+46731740635", "+4520123456"]

        assert [post({"phone": phone}).status_code for phone in phones] == [202, 202, 422, 422]

    def test_refused_code_costs_no_text(self, settings):
        settings.BUTLER_SMS_CODES_AT_HOME = 1
        post({"phone": PHONE})
        post({"phone": "+31612345101"})

        assert len(texts.sent) == 1


class TestProvider:
    """The answers of the provider of SMS."""

    @pytest.mark.parametrize(
        ("outcome", "status", "kind"),
        [
            (code_messages.TextOutcome.REFUSED, 422, "no-code-number"),
            (code_messages.TextOutcome.FAILED, 503, "no-text"),
        ],
    )
    def test_text_that_was_not_sent_is_said(self, monkeypatch, outcome, status, kind):
        monkeypatch.setattr(texts, "take", lambda number, body: outcome)

        answer = post({"phone": PHONE})

        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, kind)

    def test_site_without_sms_refuses_numbers(self, settings):
        settings.BUTLER_TEXT_SENDER = ""

        assert post({"phone": PHONE}).status_code == 422
        assert live_settings.BUTLER_TEXT_SENDER == ""
