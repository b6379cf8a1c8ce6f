"""No value of a header makes a page fail or uses up a sign-in code.

Through the WSGI application itself: which way a request takes depends on its headers.
"""

import base64
import io
import json
import re
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from django.core import mail

from channels.ingest import authentication
from channels.live.credentials import find_credential
from customers.access.authentication import KeyAuthentication
from customers.models import SignInCode
from tests import factories
from tests.channels.wire_client import source, track
from tests.security.test_routes import _path, _walk
from tests.wsgi_client import application

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "noor@example.com"


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> dict:
        return json.loads(self.body)


def call(method: str, path: str, body: object = b"", **headers: str) -> Answer:
    """Call the application as a server would; headers are spelled as in the environment."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answered: list = []
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    parts = application()(environ, lambda *start: answered.append(start))
    status, named = answered[0][:2]
    return Answer(int(status[:3]), b"".join(parts), {name.lower(): v for name, v in named})


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


AUTHORIZATIONS = {
    "empty": "",
    "blank": " ",
    "scheme only": "Bearer",
    "bearer nothing": "Bearer ",
    "bearer rubbish": "Bearer rubbish",
    "bearer unknown key": "Bearer sk_" + "x" * 32,
    "bearer with NUL": "Bearer sk_\x00",
    "bearer latin-1": "Bearer sk_\xff\xfe",
    "bearer long": "Bearer sk_" + "x" * 100_000,
    "bearer twice": "Bearer a, Bearer b",
    "bearer lone byte": "bearer \x80",
    "basic nothing": "Basic ",
    "basic rubbish": "Basic !!!",
    "basic no utf-8": basic(b"\xff\xfe:\xff"),
    "basic with NUL": basic(b"sk_\x00:"),
    "basic of a proxy": basic(b"staging:let me in"),
    "basic colons": basic(b":::"),
    "basic latin-1": "Basic \xe9\xe8",
    "basic odd padding": "Basic c2tf=",
    "token": "Token 123",
    "digest": 'Digest username="x", realm="y"',
    "negotiate": "Negotiate YII=",
    "no scheme": "sk_" + "x" * 32,
    "comma": ",",
    "control": "\x01\x7f",
}


def authorizations() -> dict[str, str]:
    _, secret = source(is_secret=True)
    _, publishable = source()
    return AUTHORIZATIONS | {
        "secret key": f"Bearer {secret}",
        "secret key as name": basic(f"{secret}:".encode()),
        "publishable key": f"Bearer {publishable}",
    }


def code_in_mail() -> str:
    return re.search(r"\d{6}", mail.outbox[-1].body)[0]


# Signing in --------------------------------------------------------------------------


def test_sign_in_by_code_ignores_the_authorization_header(settings):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000
    for case, value in authorizations().items():
        headers = {"HTTP_AUTHORIZATION": value}

        code_request = call("POST", "/api/sign-in/", {"email": ADDRESS}, **headers)
        assert code_request.status == 202, case
        proof = {"request": code_request.json["request"], "code": code_in_mail()}
        proved = call("POST", "/api/sign-in/", proof, **headers)

        assert proved.status == 200, case
        token = proved.json["session_token"]
        assert call("GET", "/api/me/", HTTP_X_SESSION_TOKEN=token).status == 200, case


def test_authorization_header_does_not_change_the_language_of_the_email(settings):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000
    for value in ("Bearer rubbish", basic(b"a:b"), "Token 1"):
        headers = {"HTTP_AUTHORIZATION": value, "HTTP_ACCEPT_LANGUAGE": "nl"}

        call("POST", "/api/sign-in/", {"email": ADDRESS}, **headers)

        assert "is je code" in mail.outbox[-1].subject, value


def test_allauth_sign_in_ignores_the_authorization_header(settings):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000
    path = "/_allauth/app/v1/auth/code"
    for case, value in authorizations().items():
        headers = {"HTTP_AUTHORIZATION": value}
        code_request = call("POST", f"{path}/request", {"email": ADDRESS}, **headers)
        headers["HTTP_X_SESSION_TOKEN"] = code_request.json["meta"]["session_token"]

        proved = call("POST", f"{path}/confirm", {"code": code_in_mail()}, **headers)

        assert proved.status == 200, case


def test_failed_session_spends_no_code():
    """Here the caller's network address is unknown, which a session has to name."""
    code_request = call("POST", "/api/sign-in/", {"email": ADDRESS})
    proof = {"request": code_request.json["request"], "code": code_in_mail()}

    failed = call("POST", "/api/sign-in/", proof, REMOTE_ADDR="")

    assert failed.status >= 400
    assert SignInCode.objects.get().spent_at is None
    assert call("POST", "/api/sign-in/", proof).status == 200


def test_failed_session_of_an_app_or_a_page_spends_no_code(client):
    path = "/_allauth/app/v1/auth/code"
    code_request = call("POST", f"{path}/request", {"email": ADDRESS})
    headers = {"HTTP_X_SESSION_TOKEN": code_request.json["meta"]["session_token"]}
    body = {"code": code_in_mail()}

    failed = call("POST", f"{path}/confirm", body, REMOTE_ADDR="", **headers)

    assert failed.status >= 400
    assert SignInCode.objects.get().spent_at is None

    page = client.post("/sign-in/", {"email": ADDRESS}, follow=True)
    form = {"handle": page.context["handle"], "code": code_in_mail()}
    failed = client.post("/sign-in/code/", form, REMOTE_ADDR="")

    assert failed.status_code >= 400
    assert SignInCode.objects.filter(spent_at=None).count() == 2
    assert client.post("/sign-in/code/", form).status_code == 302


def test_cookie_counts_beside_an_unknown_authorization_scheme():
    code_request = call("POST", "/api/sign-in/", {"email": ADDRESS})
    proof = {"request": code_request.json["request"], "code": code_in_mail()}
    token = call("POST", "/api/sign-in/", proof).json["session_token"]

    for value in ("Token 1", "Digest x", "rubbish"):
        answer = call("GET", "/api/me/", HTTP_COOKIE=f"sessionid={token}", HTTP_AUTHORIZATION=value)

        assert answer.status == 200, value


# Every reader of the header ----------------------------------------------------------


def test_odd_authorization_never_fails_the_api():
    for case, value in authorizations().items():
        for path in ("/api/me/", "/api/customers/", "/api/me/sessions/", "/api/nothing/"):
            for more in ({}, {"HTTP_X_SESSION_TOKEN": "no session"}):
                answer = call("GET", path, HTTP_AUTHORIZATION=value, **more)

                assert answer.status < 500, (case, path)


def test_odd_authorization_never_fails_ingest():
    _, key = source()
    for case, value in authorizations().items():
        for path in ("batch", "track", "events", "phone/calls", "store/scans", "store/batches"):
            answer = call("POST", f"/v1/{path}", {}, HTTP_AUTHORIZATION=value)
            assert answer.status < 500, (case, path)
        event = track()
        beside = call("POST", "/v1/track", event, HTTP_AUTHORIZATION=value, HTTP_X_WRITE_KEY=key)
        assert beside.status in (200, 401), case


def test_odd_authorization_never_fails_the_streams():
    for value in AUTHORIZATIONS.values():
        shown = find_credential({b"authorization": value.encode("latin-1")}, {}, cookie="sessionid")

        assert shown is None or shown.text


def test_ingest_api_and_streams_find_the_same_key():
    _, secret = source(is_secret=True)
    encoded = [basic(f"{secret}:".encode()), basic(f":{secret}".encode())]
    for value in (f"Bearer {secret}", f"bearer  {secret} ", *encoded):
        wire_request = SimpleNamespace(META={"HTTP_AUTHORIZATION": value})
        api_request = SimpleNamespace(headers={"Authorization": value})

        principal, _ = KeyAuthentication().authenticate(api_request)
        stream_credential = find_credential(
            {b"authorization": value.encode()}, {}, cookie="sessionid"
        )

        assert principal.sender
        assert (authentication.header_key(wire_request), stream_credential.text) == (secret, secret)


MALFORMED = [
    name
    for name, value in AUTHORIZATIONS.items()
    if name not in ("bearer rubbish", "bearer unknown key", "bearer long")
    and value.lower().startswith(("basic", "bearer"))
    and name not in ("basic of a proxy", "basic colons")
]


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_authorization_is_refused_beside_valid_credentials(name):
    value = AUTHORIZATIONS[name]
    _, key = source()
    code_request = call("POST", "/api/sign-in/", {"email": ADDRESS})
    proof = {"request": code_request.json["request"], "code": code_in_mail()}
    token = call("POST", "/api/sign-in/", proof).json["session_token"]
    cookie = f"sessionid={token}"
    header = {"HTTP_AUTHORIZATION": value}

    by_header = call("POST", "/v1/track", track(), HTTP_X_WRITE_KEY=key, **header)
    by_body = call("POST", "/v1/batch", {"batch": [track()], "writeKey": key}, **header)
    by_session = call("GET", "/api/me/", HTTP_X_SESSION_TOKEN=token, **header)
    by_cookie = call("GET", "/api/me/", HTTP_COOKIE=cookie, **header)
    stream = find_credential(
        {b"authorization": value.encode("latin-1"), b"cookie": cookie.encode()},
        {},
        cookie="sessionid",
    )

    assert [answer.status for answer in (by_header, by_body, by_session, by_cookie)] == [401] * 4
    assert stream is None


# Every header ------------------------------------------------------------------------

HEADERS = (
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_X_SESSION_TOKEN",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_IF_MATCH",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_USER_AGENT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_HOST",
    "HTTP_ORIGIN",
    "HTTP_REFERER",
    "HTTP_X_REQUEST_ID",
    "HTTP_X_WRITE_KEY",
    "HTTP_X_RETRY_COUNT",
    "HTTP_CONTENT_ENCODING",
    "HTTP_X_TWILIO_SIGNATURE",
    "HTTP_WEBHOOK_ID",
    "HTTP_WEBHOOK_SIGNATURE",
    "HTTP_WEBHOOK_TIMESTAMP",
    "HTTP_CE_SPECVERSION",
    "HTTP_BUTLER_STAFF",
    "HTTP_X_CSRFTOKEN",
    "CONTENT_TYPE",
)
VALUES = (
    "\x00",
    "\xff\xfe",
    "x" * 70_000,
    "sessionid=\x00; csrftoken=\xff",
    'sessionid="\\000\\377"; messages=x',
    "1" * 5000,
    "::1, not an address",
    "application/json; charset=nonsense",
)
OPEN = (
    ("POST", "/api/sign-in/", b'{"email": "noor@example.com"}'),
    ("POST", "/api/sign-in/", b'{"request": "x", "code": "1"}'),
    ("GET", "/api/me/", b""),
    ("GET", "/api/docs/", b""),
    ("GET", "/.well-known/butler-receipt-keys.json", b""),
    ("POST", "/_allauth/app/v1/auth/code/request", b'{"email": "noor@example.com"}'),
    ("POST", "/_allauth/app/v1/auth/code/confirm", b'{"code": "1"}'),
    ("GET", "/_allauth/browser/v1/auth/session", b""),
    ("GET", "/sign-in/", b""),
    ("GET", "/", b""),
    ("POST", "/v1/batch", b'{"batch": []}'),
    ("POST", "/v1/events", b"{}"),
    ("POST", "/v1/webhooks/shop", b"{}"),
    ("POST", "/v1/phone/twilio/shop", b"CallSid=1"),
    ("GET", "/v1/projects/pk_x/settings", b""),
)


@pytest.mark.parametrize("name", HEADERS)
def test_odd_header_never_fails_a_public_address(settings, name):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 10_000
    factories.source("shop", webhook_secrets=["whsec_c2VjcmV0"])
    failures = []
    for method, path, body in OPEN:
        for value in VALUES:
            answer = call(method, path, body, **{name: value})
            if answer.status >= 500:
                failures.append((method, path, value[:30], answer.status))

    assert failures == []


# Which way a request takes -----------------------------------------------------------


def test_paths_without_key_are_those_without_key_authentication():
    """The API handler has no session or locale middleware: views opened without a key need them."""
    from config import api_handler

    without = {
        _path(route)
        for route, view in _walk()
        if route.startswith("api/") and KeyAuthentication not in _authenticators(view)
    }

    assert without == set(api_handler.PATHS_WITHOUT_KEY)


def _authenticators(view: object) -> list[type]:
    return getattr(getattr(view, "cls", None), "authentication_classes", [])
