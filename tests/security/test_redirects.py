"""A link to Butler never redirects to another site, and others cannot set our host name."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from customers.actions import staff_sign_in
from customers.models import User
from tests import factories, staff

ELSEWHERE = (
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "http://evil.test/console/",
    "\\\\evil.test",
    "/\\evil.test",
    "/\\/evil.test",
    "/\t/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/%09/evil.test",
    "/%2f/evil.test",
    "//evil.test/console/",
    "/console/\\..\\..\\\\evil.test",
    "//localhost@evil.test",
    "https://localhost:8000@evil.test/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/console/%0d%0aSet-Cookie:x=1",
    "/console/\r\nSet-Cookie: x=1",
    "/orders/\r\nLocation: https://evil.test",
    "/orders/\u2028x",
    "/\x00/evil.test",
    "http://[::1",
    "/x" * 3000,
)


def _stays_on_our_site(answer) -> bool:
    """Tell whether a browser that follows this answer stays with us."""
    where = answer.get("Location", "")
    # Browsers read a backslash as a slash, and leave out what is no character of an address.
    read = re.sub(r"[\t\r\n]", "", where).strip().replace("\\", "/")
    parts = urlsplit(read)
    return not (parts.scheme or parts.netloc or read.startswith("//")) and not (
        {"\r", "\n"} & set(where) or "Set-Cookie" in answer.headers
    )


@pytest.fixture(autouse=True)
def _development(settings, tmp_path, quick_hashes):
    settings.BUTLER_HOME, settings.DEBUG = tmp_path, True
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda where: ascii(where)[:30])
def test_sign_in_redirects_only_to_this_site(where):
    client, address = Client(), f"noor{abs(hash(where))}@example.com"
    code_request = client.post("/sign-in/", {"email": address, "next": where}, follow=True)
    if "\x00" in where:
        assert code_request.status_code == 400
        return
    handle = re.search(r'name="handle" value="([^"]+)"', code_request.content.decode())[1]
    code = re.search(r"\d{6}", client.get("/dev/outbox.json").json()[0]["text"])[0]

    answer = client.post(
        "/sign-in/code/", {"handle": handle, "code": code, "email": address, "next": where}
    )

    assert answer.status_code == 302
    assert _stays_on_our_site(answer), answer["Location"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_console_sign_in_redirects_only_to_this_site():
    sam, secret, now = staff.colleague("desk"), staff_sign_in.new_secret(), timezone.now()
    sam.set_password("four-words-that-nobody-knows")
    sam.save()
    staff_sign_in.enroll(user=sam, secret=secret, code=staff_sign_in.totp(secret, now), now=now)
    inside = staff.let_in(Client(), sam)
    for where in ELSEWHERE:
        form = {"email": sam.email, "password": "four-words-that-nobody-knows", "next": where}

        for answer in (
            Client().post("/console/sign-in/", form),
            Client().post("/console/sign-in/?x=1", form),
            inside.get("/console/sign-in/", {"next": where}),
        ):
            assert answer.status_code in (302, 400), ascii(where)
            assert _stays_on_our_site(answer), answer.get("Location")


@pytest.mark.django_db
@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda where: ascii(where)[:30])
def test_language_choice_redirects_only_to_this_site(client, where):
    for headers in ({}, {"referer": "https://evil.test/"}):
        answer = client.post("/language/", {"language": "nl", "next": where}, headers=headers)

        assert answer.status_code in (302, 400)
        answer.headers.pop("Set-Cookie", None)
        assert _stays_on_our_site(answer), answer.get("Location")


@pytest.mark.django_db
def test_foreign_host_name_is_in_no_answer(client, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    noor = factories.customer(("email", "noor@example.com"))
    client.force_login(User.objects.create_user("noor@example.com", record=noor))

    for path in ("/", "/sign-in/", "/console/", "/preferences/", "/admin/"):
        refused = client.get(path, headers={"host": "evil.test"})
        assert refused.status_code == 400
        shown = client.get(
            path, headers={"host": "localhost", "x-forwarded-host": "evil.test"}, follow=True
        )
        assert b"evil.test" not in shown.content
