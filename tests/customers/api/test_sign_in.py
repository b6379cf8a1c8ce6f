import threading

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.actions import sign_in, sign_in_codes
from customers.models import SignInCode, User
from tests import factories
from tests.cost import count_calls

ADDRESS = "noor@example.com"


pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unknown_address_gets_an_account_when_the_code_is_proved(anybody, ask):
    code_request, code = ask()
    assert not User.objects.exists()

    proved = anybody.post(
        "/api/sign-in/", {"request": code_request.json()["request"], "code": code}
    )

    token = {"X-Session-Token": proved.json()["session_token"]}
    record = anybody.get("/api/me/", **token).json()
    assert (code_request.status_code, proved.status_code) == (202, 200)
    assert [
        (identifier["value"], identifier["is_verified"]) for identifier in record["identifiers"]
    ] == [(ADDRESS, True)]
    assert [event["name"] for event in anybody.get("/api/me/timeline/", **token).json()["results"]]


def test_a_proved_address_opens_the_record_that_it_leads_to(anybody, sign_in_as):
    customer = factories.customer(("user_id", "u-1"), ("email", ADDRESS), name="Noor")

    token = sign_in_as("Noor@Example.com")

    assert anybody.get("/api/me/", **token).json()["id"] == str(customer.id)


@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "is je code"), ("sv", "är din kod"), ("da", "er din kode"), ("fi", "is your code")],
)
def test_sign_in_mail_has_the_language_of_the_reader(anybody, language, words):
    anybody.post("/api/sign-in/", {"email": ADDRESS}, **{"Accept-Language": language})

    assert words in mail.outbox[-1].subject
    assert (language == "fi") is ("Your code to sign in" in mail.outbox[-1].body)


def test_known_and_unknown_addresses_cost_the_same(ask, sign_in_as):
    sign_in_as()

    def cost(email: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            calls = count_calls(lambda: ask(email))
        return len(queries), calls

    cost(ADDRESS)
    known_statements, known_calls = cost(ADDRESS)
    unknown_statements, unknown_calls = cost("nobody@example.com")

    assert known_statements == unknown_statements
    assert known_calls == pytest.approx(unknown_calls, rel=0.1)


def test_signing_in_again_opens_the_same_login(anybody, sign_in_as):
    first, second = sign_in_as(), sign_in_as()

    assert User.objects.count() == 1
    assert first != second
    assert anybody.get("/api/me/", **first).status_code == 200


def test_known_and_unknown_addresses_get_the_same_answer(ask, sign_in_as):
    sign_in_as()

    known_answer, _ = ask()
    unknown_answer, _ = ask("nobody@example.com")

    assert known_answer.status_code == unknown_answer.status_code == 202
    assert known_answer.json().keys() == unknown_answer.json().keys()
    assert len(known_answer.content) == len(unknown_answer.content)
    assert [len(letter.body) for letter in mail.outbox[-2:]] == [len(mail.outbox[0].body)] * 2


def test_code_request_reads_no_account(ask, django_assert_max_num_queries):
    with django_assert_max_num_queries(20) as queries:
        ask()

    assert not [query for query in queries.captured_queries if "customers_user" in query["sql"]]


def test_codes_are_not_stored_in_clear_text(ask):
    code_request, code = ask()

    sign_in_code = SignInCode.objects.get()
    everything = repr(
        [
            bytes(sign_in_code.code_digest),
            bytes(sign_in_code.handle_digest),
            bytes(sign_in_code.network),
        ]
    )
    assert code not in everything
    assert code_request.json()["request"] not in everything


def test_code_is_valid_once(anybody, ask):
    code_request, code = ask()
    shown = {"request": code_request.json()["request"], "code": code}

    answers = [anybody.post("/api/sign-in/", shown).status_code for _ in range(2)]

    assert answers == [200, 403]


def test_code_is_valid_for_ten_minutes(anybody, ask, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    (early, early_code), (late, late_code) = ask(), ask()

    time_machine.move_to("2026-11-21T12:09:59Z", tick=False)
    in_time = anybody.post(
        "/api/sign-in/", {"request": early.json()["request"], "code": early_code}
    )
    time_machine.move_to("2026-11-21T12:10:01Z", tick=False)
    too_late = anybody.post("/api/sign-in/", {"request": late.json()["request"], "code": late_code})

    assert (in_time.status_code, too_late.status_code) == (200, 403)


def test_code_of_another_request_is_refused(anybody, ask):
    mine, _ = ask()
    _, code_of_theirs = ask()

    answer = anybody.post(
        "/api/sign-in/", {"request": mine.json()["request"], "code": code_of_theirs}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: f"{code[:3]}\u2013{code[3:]}\n",
        lambda code: f"\u200e{code}\u200f",
        lambda code: f" {code[:3]}\u00a0{code[3:]}.",
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
        lambda code: "".join(chr(0x0660 + int(digit)) for digit in code),
    ],
    ids=["space", "hyphen", "dash", "directions", "no-break", "fullwidth", "arabic"],
)
def test_code_counts_in_every_spelling_of_its_digits(anybody, ask, spell):
    code_request, code = ask()

    answer = anybody.post(
        "/api/sign-in/", {"request": code_request.json()["request"], "code": spell(code)}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "change", [lambda code: code[:5], lambda code: code + "0"], ids=["fewer", "more"]
)
def test_code_with_a_digit_too_few_or_too_many_is_wrong(anybody, ask, change):
    code_request, code = ask()

    answer = anybody.post(
        "/api/sign-in/", {"request": code_request.json()["request"], "code": change(code)}
    )

    assert answer.status_code == 403


def test_code_is_invalid_after_five_wrong_guesses(anybody, ask):
    code_request, code = ask()
    request = code_request.json()["request"]

    for guess in range(5):
        anybody.post("/api/sign-in/", {"request": request, "code": f"{guess:06d}x"})
    answer = anybody.post("/api/sign-in/", {"request": request, "code": code})

    assert answer.status_code == 403
    assert not User.objects.exists()


@pytest.mark.slow
def test_only_five_of_200_concurrent_guesses_are_checked(ask, monkeypatch):
    code_request, _ = ask()
    compared, original = [], sign_in_codes.constant_time_compare
    monkeypatch.setattr(
        sign_in_codes, "constant_time_compare", lambda *two: compared.append(1) or original(*two)
    )

    def guess(some: range):
        for number in some:
            with pytest.raises(sign_in.WrongCode):
                sign_in.verify_code(
                    handle=code_request.json()["request"],
                    code=f"no{number}",
                    language="en",
                    now=SignInCode.objects.get().requested_at,
                )
        connection.close()

    threads = [threading.Thread(target=guess, args=(range(n, 200, 10),)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(compared) == 5


def _ask_from(network: str) -> int:
    answer = Client(REMOTE_ADDR=network).post(
        "/api/sign-in/", {"email": ADDRESS}, content_type="application/json"
    )
    return answer.status_code


def test_codes_for_one_address_are_limited_and_the_limit_ends(ask, settings, time_machine):
    settings.BUTLER_CODES_PER_ADDRESS = 3
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)

    answers = [_ask_from(f"192.0.2.{n}") for n in range(3)]
    refused = ask()[0]
    elsewhere = ask("eli@example.com")[0]
    time_machine.move_to("2026-11-21T13:00:01Z", tick=False)
    later = ask()[0]

    assert answers == [202, 202, 202]
    assert (refused.status_code, refused["Retry-After"]) == (429, "3601")
    assert refused["RateLimit-Policy"] == '"codes";q=3;w=3600'
    assert refused["RateLimit"] == '"codes";r=0;t=3601'
    assert (elsewhere.status_code, later.status_code) == (202, 202)


def test_one_network_leaves_codes_of_an_address_to_other_networks(settings):
    settings.BUTLER_CODES_PER_ADDRESS = 5

    stranger = [_ask_from("192.0.2.1") for _ in range(6)]
    customer = [_ask_from("192.0.2.2") for _ in range(2)]

    assert stranger == [202, 202, 202, 202, 429, 429]
    assert customer == [202, 429]


def test_codes_from_one_network_are_limited(ask, settings):
    settings.BUTLER_CODES_PER_NETWORK = 3

    answers = [ask(f"guest{n}@example.com")[0].status_code for n in range(4)]

    assert answers == [202, 202, 202, 429]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "nobody"},
        {"code": "123456"},
        {"email": ADDRESS, "code": "123456"},
        {"email": 7},
    ],
)
def test_invalid_request_is_refused(anybody, body):
    assert anybody.post("/api/sign-in/", body).status_code == 422


def test_staff_cannot_sign_in_by_mail(anybody, ask):
    User.objects.create_user(ADDRESS, "a long password", is_staff=True)
    code_request, code = ask()

    answer = anybody.post(
        "/api/sign-in/", {"request": code_request.json()["request"], "code": code}
    )

    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "urn:butler:problem:staff-sign-in",
    )


def test_a_closed_login_stays_closed(anybody, ask):
    User.objects.create_user(ADDRESS, is_active=False)
    code_request, code = ask()

    answer = anybody.post(
        "/api/sign-in/", {"request": code_request.json()["request"], "code": code}
    )

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:butler:problem:wrong-code")


def test_sessions_are_listed_and_ended(anybody, sign_in_as):
    phone, laptop = sign_in_as(), sign_in_as()

    listed = anybody.get("/api/me/sessions/", **phone).json()["results"]
    other = next(session for session in listed if not session["is_current"])
    ended = anybody.delete(f"/api/me/sessions/{other['id']}/", **phone)

    assert len(listed) == 2
    assert ended.status_code == 204
    assert anybody.get("/api/me/", **laptop).status_code == 401
    assert anybody.get("/api/me/", **phone).status_code == 200


def test_signing_out_everywhere_else_leaves_this_one(anybody, sign_in_as):
    phone, *others = [sign_in_as() for _ in range(3)]

    anybody.delete("/api/me/sessions/", **phone)

    assert [anybody.get("/api/me/", **login).status_code for login in (phone, *others)] == [
        200,
        401,
        401,
    ]


def test_session_of_another_customer_cannot_be_ended(anybody, sign_in_as):
    noor, eli = sign_in_as(), sign_in_as("eli@example.com")
    session = anybody.get("/api/me/sessions/", **eli).json()["results"][0]

    assert anybody.delete(f"/api/me/sessions/{session['id']}/", **noor).status_code == 404
    assert anybody.get("/api/me/", **eli).status_code == 200


def test_only_expired_sessions_and_codes_are_deleted(anybody, sign_in_as, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z")
    old = sign_in_as()
    time_machine.move_to("2027-01-19T12:00:00Z")
    new = sign_in_as()
    time_machine.move_to("2027-01-21T12:00:00Z")

    sign_in.delete_expired(now=timezone.now())

    assert SignInCode.objects.count() == 0
    assert UserSession.objects.count() == Session.objects.count() == 1
    assert anybody.get("/api/me/", **old).status_code == 401
    assert anybody.get("/api/me/", **new).status_code == 200


def test_stream_ticket_belongs_to_the_signed_in_customer(anybody, sign_in_as, desk):
    token = sign_in_as()

    answer = anybody.post("/api/me/stream-ticket/", **token)

    assert answer.status_code == 201
    assert answer.json()["url"].endswith(f"/live/me?ticket={answer.json()['ticket']}")
    assert desk.post("/api/me/stream-ticket/").status_code == 403
    assert anybody.post("/api/me/stream-ticket/").status_code == 401
