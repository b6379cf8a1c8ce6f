"""A sign-in that ends with 503 is not an attempt: the customer or staff member tries again."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from channels.console.views import access
from customers.actions import sign_in, sign_in_codes, staff_sign_in
from customers.models import AttemptCount, SignInCode, User
from tests.wsgi_client import WsgiClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_hashes")]

PASSWORD = "four-words-that-nobody-knows"
PAST_THE_LIMITS = 12
CSRF_TOKEN = "a" * 32


@pytest.fixture
def client() -> WsgiClient:
    browser = WsgiClient(raise_request_exception=False, headers={"x-csrftoken": CSRF_TOKEN})
    browser.cookies["csrftoken"] = CSRF_TOKEN
    return browser


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam@staff.example.com", PASSWORD, is_staff=True, name="Sam")


def fail(*_, **__):
    raise OperationalError("the connection was closed")


def test_customer_signs_in_after_outages_at_the_code(client, monkeypatch):
    issued = sign_in_codes.issue_code(
        email="noor@example.com", network="192.0.2.1", now=timezone.now()
    )
    proof = {"request": issued.handle, "code": issued.code}
    with monkeypatch.context() as outage:
        outage.setattr(sign_in, "store_event", fail)
        during = [
            client.post("/api/sign-in/", proof, content_type="application/json").status_code
            for _ in range(PAST_THE_LIMITS)
        ]

    after = client.post("/api/sign-in/", proof, content_type="application/json")

    assert set(during) == {503}
    assert (after.status_code, SignInCode.objects.get().tries) == (200, 0)


def test_staff_member_signs_in_after_outages_at_the_password(client, sam, monkeypatch):
    form = {"email": sam.email, "password": PASSWORD}
    with monkeypatch.context() as outage:
        outage.setattr(User, "check_password", fail)
        during = [
            client.post("/console/sign-in/", form).status_code for _ in range(PAST_THE_LIMITS)
        ]
    assert not AttemptCount.objects.exists()

    after = client.post("/console/sign-in/", form)

    assert set(during) == {503}
    assert after.status_code == 302


def test_staff_member_signs_in_after_outages_at_the_code(client, sam, monkeypatch):
    past = timezone.now() - timedelta(hours=1)
    secret = staff_sign_in.new_secret()
    staff_sign_in.enroll(user=sam, secret=secret, code=staff_sign_in.totp(secret, past), now=past)
    client.post("/console/sign-in/", {"email": sam.email, "password": PASSWORD})
    form = {"code": staff_sign_in.totp(secret, timezone.now())}
    with monkeypatch.context() as outage:
        outage.setattr(access, "complete_sign_in", fail)
        during = [
            client.post("/console/sign-in/code/", form).status_code for _ in range(PAST_THE_LIMITS)
        ]

    after = client.post("/console/sign-in/code/", form)

    assert set(during) == {503}
    assert (after.status_code, after["Location"]) == (302, "/console/")
