"""Only both factors, in this order and once, open a session of staff."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest
from allauth.usersessions.models import UserSession
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from channels.console.views.access import SIGNED_IN_AT, AdminAccessMiddleware
from customers.actions import staff_sign_in
from customers.actions.staff_sign_in import WrongAuthenticatorCode
from customers.models import User
from tests import factories, staff

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_hashes"),
]

PASSWORD = "four-words-that-nobody-knows"


@pytest.fixture
def sam() -> User:
    user = staff.colleague("manager")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def secret(sam) -> str:
    totp_secret, before = staff_sign_in.new_secret(), timezone.now() - timedelta(hours=1)
    staff_sign_in.enroll(
        user=sam, secret=totp_secret, code=staff_sign_in.totp(totp_secret, before), now=before
    )
    return totp_secret


def _password(client: Client, user: User):
    return client.post("/console/sign-in/", {"email": user.email, "password": PASSWORD})


@pytest.fixture
def noor() -> User:
    record = factories.customer(("email", "noor@example.com"))
    return User.objects.create_user("noor@example.com", record=record)


def test_customer_session_ends_when_its_login_becomes_staff(client, noor):
    client.force_login(noor, staff.BACKEND)
    token = client.session.session_key
    assert client.get("/api/me/").status_code == 200

    User.objects.filter(pk=noor.pk).update(is_staff=True, is_superuser=True)

    for shown in ({}, {"X-Session-Token": token}):
        answer = Client(headers=shown) if shown else client
        assert answer.get("/api/customers/").status_code == 401, shown
        assert answer.get("/api/tasks/").status_code == 401, shown
    assert client.get("/admin/")["Location"].startswith("/console/sign-in/")


def test_customer_session_of_a_new_staff_login_opens_no_stream(running, client, noor):
    other = factories.customer(("email", "eli@example.com"))
    client.force_login(noor, staff.BACKEND)
    shown = {"X-Session-Token": client.session.session_key}
    User.objects.filter(pk=noor.pk).update(is_staff=True, is_superuser=True)

    with httpx2.Client(timeout=5) as http:
        for path in (f"/live/customers/{other.pk}", "/live/me"):
            answer = http.get(running.live + path, headers=shown)
            assert answer.status_code == 401, path


def test_password_without_second_factor_opens_nothing(client, sam, secret):
    _password(client, sam)
    key = client.session.session_key

    for path in ("/console/", "/admin/", "/admin/customers/user/", "/console/search/"):
        assert client.get(path)["Location"].startswith("/console/sign-in/"), path
    assert client.get("/api/customers/").status_code == 401
    assert Client(headers={"X-Session-Token": key}).get("/api/customers/").status_code == 401
    assert client.post("/api/me/stream-ticket/").status_code == 401
    assert client.get("/orders/")["Location"].startswith("/sign-in/")
    assert not UserSession.objects.exists()


def test_admin_login_form_redirects_under_a_url_prefix(sam):
    def opened(request: WSGIRequest):
        raise AssertionError("the door stood open")

    admin_request = RequestFactory().post("/admin/login/", SCRIPT_NAME="/butler")
    admin_request.user, admin_request.session = sam, {}

    assert admin_request.path == "/butler/admin/login/"
    assert AdminAccessMiddleware(opened)(admin_request).status_code == 302


def test_planted_session_key_is_replaced_at_every_step(client, sam, secret):
    client.get("/console/sign-in/")
    session = client.session
    session["planted"] = 1
    session.save()
    keys = [session.session_key]
    client.cookies["sessionid"] = keys[0]

    _password(client, sam)
    keys.append(client.session.session_key)
    client.post("/console/sign-in/code/", {"code": staff_sign_in.totp(secret, timezone.now())})

    assert SIGNED_IN_AT in client.session
    assert "planted" not in client.session
    assert client.session.session_key not in keys
    for key in keys:
        planted = Client()
        planted.cookies["sessionid"] = key
        assert planted.get("/console/").status_code == 302


def test_second_factor_of_another_user_is_refused(sam, secret):
    ann = staff.colleague("desk", "Ann")
    ann.set_password(PASSWORD)
    ann.save()
    client = Client()
    _password(client, sam)

    # Sam's second factor for Sam's password, although Ann has none yet.
    assert client.get("/console/sign-in/set-up/")["Location"] == "/console/sign-in/"
    mine = staff_sign_in.new_secret()
    staff_sign_in.enroll(
        user=ann,
        secret=mine,
        code=staff_sign_in.totp(mine, timezone.now()),
        now=timezone.now(),
    )
    answer = client.post(
        "/console/sign-in/code/", {"code": staff_sign_in.totp(mine, timezone.now()), "user": ann.pk}
    )
    assert answer.status_code == 403
    assert SIGNED_IN_AT not in client.session


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_one_code_used_concurrently_lets_one_browser_in(sam, kind):
    now = timezone.now()
    totp_secret, before = staff_sign_in.new_secret(), now - timedelta(hours=1)
    codes = staff_sign_in.enroll(
        user=sam, secret=totp_secret, code=staff_sign_in.totp(totp_secret, before), now=before
    )
    code = codes[2] if kind == "recovery" else staff_sign_in.totp(totp_secret, now)

    def show(_: int) -> bool:
        try:
            staff_sign_in.check_code(user=sam, code=code, now=now)
        except WrongAuthenticatorCode:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(show, range(5))) == 1


def test_admin_pages_show_no_session_or_second_factor_secrets(client, sam, secret):
    boss = staff.let_in(client, staff.colleague("", "Lin", is_superuser=True))
    [factor] = sam.authenticator_set.filter(type="totp")

    page = boss.get(f"/admin/mfa/authenticator/{factor.pk}/change/").content.decode()

    assert factor.data["secret"] not in page
    assert secret not in page
    assert boss.get("/admin/mfa/authenticator/add/").status_code == 403
    assert boss.get("/admin/usersessions/usersession/").status_code == 404
    deleted = boss.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"})
    assert deleted.status_code == 302
    assert not sam.authenticator_set.filter(type="totp").exists()
