"""The paths and shapes of allauth's headless API, for clients that speak it."""

import re

import pytest
from django.core import mail

ADDRESS = "noor@example.com"

pytestmark = pytest.mark.django_db(transaction=True)


def test_app_signs_in_reads_its_session_and_signs_out(anybody):
    api = "/_allauth/app/v1/auth"
    code_request = anybody.post(f"{api}/code/request", {"email": ADDRESS})
    pending = {"X-Session-Token": code_request.json()["meta"]["session_token"]}
    code = re.search(r"\d{6}", mail.outbox[-1].body)[0]

    wrong = anybody.post(f"{api}/code/confirm", {"code": "nothing"}, **pending)
    right = anybody.post(f"{api}/code/confirm", {"code": code}, **pending)

    token = {"X-Session-Token": right.json()["meta"]["session_token"]}
    assert (code_request.status_code, wrong.status_code, right.status_code) == (401, 400, 200)
    assert code_request.json()["data"]["flows"] == [{"id": "login_by_code", "is_pending": True}]
    assert wrong.json()["errors"][0]["code"] == "incorrect_code"
    assert right.json()["meta"]["is_authenticated"] is True
    assert token != pending
    assert anybody.get(f"{api}/session", **token).json()["data"]["user"]["email"] == ADDRESS
    assert anybody.get("/api/me/", **token).status_code == 200
    assert anybody.delete(f"{api}/session", **token).status_code == 401
    assert anybody.get("/api/me/", **token).status_code == 401


def test_code_of_an_earlier_request_of_the_app_counts(anybody):
    api = "/_allauth/app/v1/auth"
    code_request = anybody.post(f"{api}/code/request", {"email": ADDRESS})
    pending = {"X-Session-Token": code_request.json()["meta"]["session_token"]}
    earlier = re.search(r"\d{6}", mail.outbox[-1].body)[0]
    again = anybody.post(f"{api}/code/request", {"email": ADDRESS}, **pending)
    pending = {
        "X-Session-Token": again.json()["meta"].get("session_token") or pending["X-Session-Token"]
    }

    assert anybody.post(f"{api}/code/confirm", {"code": earlier}, **pending).status_code == 200


def test_a_browser_signs_in_with_its_cookie(anybody):
    api = "/_allauth/browser/v1/auth"
    anybody.post(f"{api}/code/request", {"email": ADDRESS})
    before = anybody.client.session.session_key
    code = re.search(r"\d{6}", mail.outbox[-1].body)[0]

    right = anybody.post(f"{api}/code/confirm", {"code": code})

    assert right.status_code == 200
    assert anybody.client.session.session_key != before
    assert anybody.get("/api/me/").status_code == 200


@pytest.mark.parametrize("path", ["login", "signup", "password/request", "email/verify"])
def test_other_sign_in_methods_are_not_available(anybody, path):
    body = {"email": ADDRESS, "password": "a long password"}

    assert anybody.post(f"/_allauth/app/v1/auth/{path}", body).status_code == 404


@pytest.mark.parametrize("body", [None, {}, {"email": 7}, {"email": "nobody"}])
def test_invalid_address_is_refused(anybody, body):
    assert anybody.post("/_allauth/app/v1/auth/code/request", body).status_code == 400


def test_a_code_without_a_request_is_refused(anybody):
    answer = anybody.post("/_allauth/app/v1/auth/code/confirm", {"code": "123456"})

    assert answer.status_code == 409


def test_app_signs_in_by_phone(anybody, sent_texts):
    api = "/_allauth/app/v1/auth"
    code_request = anybody.post(f"{api}/code/request", {"phone": "06 12345098"})
    pending = {"X-Session-Token": code_request.json()["meta"]["session_token"]}

    right = anybody.post(f"{api}/code/confirm", {"code": sent_texts[-1].code}, **pending)

    token = {"X-Session-Token": right.json()["meta"]["session_token"]}
    assert (code_request.status_code, right.status_code) == (401, 200)
    assert anybody.get(f"{api}/session", **token).status_code == 200
    [identifier] = anybody.get("/api/me/", **token).json()["identifiers"]
    assert (identifier["kind"], identifier["value"]) == ("phone", "+31612345098")


@pytest.mark.parametrize("body", [{}, {"email": ADDRESS, "phone": "+31612345098"}])
def test_app_names_one_address(anybody, sent_texts, body):
    assert anybody.post("/_allauth/app/v1/auth/code/request", body).status_code == 400
    assert sent_texts == mail.outbox == []
