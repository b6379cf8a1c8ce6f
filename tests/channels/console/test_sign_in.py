import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from customers.actions import staff_sign_in
from customers.models import User
from tests import staff

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_hashes"),
]

PASSWORD = "four-words-that-nobody-knows"


@pytest.fixture
def sam():
    user = staff.colleague("desk")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def secret(sam) -> str:
    new_secret = staff_sign_in.new_secret()
    before = timezone.now() - timedelta(hours=1)
    staff_sign_in.enroll(
        user=sam, secret=new_secret, code=staff_sign_in.totp(new_secret, before), now=before
    )
    return new_secret


def _password(client: Client, user: User, password: str = PASSWORD, **more):
    return client.post("/console/sign-in/", {"email": user.email, "password": password, **more})


def _code(client: Client, secret: str, **more):
    code = staff_sign_in.totp(secret, timezone.now())
    return client.post("/console/sign-in/code/", {"code": code, **more})


def test_password_and_code_open_the_console(client, sam, secret):
    response = _password(client, sam)
    assert response["Location"].startswith("/console/sign-in/code/")
    assert client.get("/console/")["Location"].startswith("/console/sign-in/")

    assert _code(client, secret)["Location"] == "/console/"
    assert "Hello Sam" in client.get("/console/").content.decode()


def test_the_first_time_a_second_factor_is_set_up(client, sam):
    assert _password(client, sam)["Location"].startswith("/console/sign-in/set-up/")
    page = client.get("/console/sign-in/set-up/").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert "<svg" in page
    assert client.get("/console/")["Location"].startswith("/console/sign-in/")

    code = staff_sign_in.totp(secret, timezone.now())
    shown = client.post("/console/sign-in/set-up/", {"code": code}).content.decode()

    assert len(re.findall(r"<code>\d{8}</code>", shown)) == 10
    assert client.get("/console/").status_code == 200
    assert Authenticator.objects.filter(user=sam, type="totp").count() == 1


def test_staff_with_a_second_factor_are_redirected_from_its_setup(client, sam, secret):
    _password(client, sam)

    assert client.get("/console/sign-in/set-up/")["Location"] == "/console/sign-in/"
    assert client.post("/console/sign-in/set-up/", {"code": "1"})["Location"] == "/console/sign-in/"


def test_wrong_password_and_unknown_login_get_the_same_answer(client, sam):
    customer = User.objects.create_user("noor@example.com", PASSWORD)
    wrong_password = _password(client, sam, "guess")
    unknown_login = client.post(
        "/console/sign-in/", {"email": "x@staff.example.com", "password": "guess"}
    )
    other = _password(client, customer)

    pages = {
        re.sub(r'value="[^"]*"', "", answer.content.decode())
        for answer in (wrong_password, unknown_login, other)
    }
    assert [answer.status_code for answer in (wrong_password, unknown_login, other)] == [403] * 3
    assert len(pages) == 1


def test_after_ten_wrong_passwords_there_is_a_wait(client, sam):
    for _ in range(10):
        _password(client, sam, "guess")

    refused = _password(client, sam)

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 900


def test_wrong_second_factor_code_is_refused(client, sam, secret):
    _password(client, sam)

    refused = client.post("/console/sign-in/code/", {"code": "000000"})

    assert refused.status_code in (403,)
    assert client.get("/console/").status_code == 302


def test_checked_password_is_valid_for_ten_minutes(client, sam, secret):
    _password(client, sam)
    session = client.session
    session["console.pending"] |= {"at": time.time() - 601}
    session.save()

    assert _code(client, secret)["Location"] == "/console/sign-in/"


def test_password_changed_before_the_second_factor_ends_the_sign_in(client, sam, secret):
    _password(client, sam)
    sam.set_password("quite another one, and longer")
    sam.save()

    assert _code(client, secret)["Location"] == "/console/sign-in/"


def test_the_session_gets_a_key_that_nobody_knew(client, sam, secret):
    client.get("/console/sign-in/")
    _password(client, sam)
    between = client.session.session_key
    _code(client, secret)

    assert client.session.session_key != between


def test_sign_in_leads_on_to_the_requested_page(client, sam, secret):
    sign_in_url = client.get("/console/tasks/?x=1")["Location"]
    assert sign_in_url == "/console/sign-in/?next=%2Fconsole%2Ftasks%2F%3Fx%3D1"
    _password(client, sam, next="/console/tasks/?x=1")

    assert _code(client, secret, next="/console/tasks/?x=1")["Location"] == "/console/tasks/?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "javascript:x",
        "/sign-in/",
    ],
)
def test_sign_in_never_redirects_to_another_host(client, sam, secret, elsewhere):
    _password(client, sam, next=elsewhere)

    assert _code(client, secret, next=elsewhere)["Location"] == "/console/"


def test_idle_console_session_expires(client, sam, settings):
    settings.CONSOLE_IDLE_MINUTES = 15
    staff.let_in(client, sam)
    session = client.session
    session["console.touched_at"] = time.time() - 120
    session.save()

    # An automatic request of a page does not extend the session.
    client.get("/console/calls/?parts")
    assert client.session["console.touched_at"] < time.time() - 60
    client.get("/console/")

    assert client.session["console.touched_at"] > time.time() - 60
    assert 14 * 60 < client.session.get_expiry_age() <= 15 * 60


def test_signing_out_closes_it(client, sam):
    staff.let_in(client, sam)

    client.post("/console/sign-out/")

    assert client.get("/console/").status_code == 302


def test_content_security_policy_allows_nothing_inline(client, sam, secret):
    for answer in (client.get("/console/sign-in/"), staff.let_in(client, sam).get("/console/")):
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "style=" not in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]


# Recovery codes -------------------------------------------------------------------------


def _post_codes_form(client: Client, secret: str, do: str, ahead: int = 0, **form):
    # A code works only once, so each request uses the code of another half minute.
    code = staff_sign_in.totp(secret, timezone.now() + timedelta(seconds=30 * ahead))
    return client.post("/console/codes/", {"code": code, "do": do} | form)


def _shown_codes(answer) -> list[str]:
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return re.findall(r"<code>(\d{8})</code>", answer.content.decode())


@pytest.fixture
def at_work(client, sam, secret) -> Client:
    return staff.let_in(client, sam)


def test_unused_recovery_codes_are_shown_again_for_a_code_of_the_app(at_work, sam, secret):
    codes = staff_sign_in.recovery_codes(user=sam)
    staff_sign_in.check_code(user=sam, code=codes[3], now=timezone.now())
    assert "You have 9 left." in at_work.get("/console/codes/").content.decode()

    response = _post_codes_form(at_work, secret, "show")

    assert _shown_codes(response) == [*codes[:3], *codes[4:]]
    file = re.search(r'href="(data:text/plain[^"]+)" download=', response.content.decode())
    assert file
    assert all(code in file[1] for code in codes if code != codes[3])


def test_a_used_code_opens_nothing_any_more(at_work, sam, secret):
    code = staff_sign_in.recovery_codes(user=sam)[0]
    other = Client()
    for location in ("/console/", None):
        _password(other, sam)
        response = other.post("/console/sign-in/code/", {"code": code})
        assert response.get("Location") == location
        other.post("/console/sign-out/")

    assert code not in _shown_codes(_post_codes_form(at_work, secret, "show"))


def test_new_codes_end_the_old_ones(at_work, sam, secret):
    before = staff_sign_in.recovery_codes(user=sam)

    after = _shown_codes(_post_codes_form(at_work, secret, "renew"))

    assert len(after) == 10
    assert not set(after) & set(before)
    with pytest.raises(staff_sign_in.WrongAuthenticatorCode):
        staff_sign_in.check_code(user=sam, code=before[0], now=timezone.now())
    staff_sign_in.check_code(user=sam, code=after[0], now=timezone.now())
    assert staff_sign_in.recovery_codes(user=sam) == after[1:]


def test_recovery_codes_need_a_code_of_the_app(at_work, sam, secret):
    codes = staff_sign_in.recovery_codes(user=sam)

    for wrong in ("", "000000", codes[0]):
        refused = _post_codes_form(at_work, secret, "show", code=wrong)
        assert refused.status_code == 403
        assert codes[1] not in refused.content.decode()
    # A refused recovery code stays valid.
    assert staff_sign_in.recovery_codes(user=sam) == codes


def test_a_code_of_the_app_shows_them_once_and_guessing_ends(at_work, secret):
    assert _post_codes_form(at_work, secret, "show").status_code == 200
    assert _post_codes_form(at_work, secret, "show").status_code == 403

    for _ in range(4):
        _post_codes_form(at_work, secret, "show", code="000000")

    refused = _post_codes_form(at_work, secret, "show", ahead=1)
    assert refused.status_code == 429
    assert "Too many attempts" in refused.content.decode()


def test_staff_without_second_factor_have_no_recovery_codes(client, db):
    page = staff.let_in(client, staff.colleague("till")).get("/console/codes/").content.decode()

    assert "You have 0 left." in page
