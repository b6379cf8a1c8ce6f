"""A connection that Postgres cuts between any two statements answers 503, and denies nothing.

Each request is sent whole once; then again for each of its statements, commits and rollbacks in
turn, with the backend ended just before. The routes come from the resolver by way of the tables
of test_routes. BUTLER_EVERY_CUT=1 cuts before every step of every request, which takes minutes;
without it, reads are cut before a few of their steps, and writes before every step.
"""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode
from zlib import crc32

import pytest
from django.apps import apps
from django.conf import settings as conf
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from channels.console.views import access
from channels.email.unsubscribe import Scope, write
from customers.actions import sign_in, staff_sign_in
from customers.actions.sources import create_source
from customers.models import Source, User
from tests import factories, staff
from tests.architecture.tree import APPS, ROOT, files
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.channels.provider import SID, TOKEN
from tests.config import cut, test_access
from tests.config.cut import Call
from tests.security import test_routes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

world = test_access.world
EVERY = os.environ.get("BUTLER_EVERY_CUT") == "1"
FORM = "application/x-www-form-urlencoded"
SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes..").decode()
EVENT = {
    "type": "track",
    "event": "Ride Entered",
    "messageId": "m-1",
    "userId": "noor",
    "context": {"externalIds": [{"type": "email", "id": "noor@example.com"}]},
    "properties": {"ride": "Lantern"},
}
VOICE = {"CallSid": "CA1", "From": "+31612345678", "To": "+31201234567", "CallStatus": "ringing"}


def _form(fields: dict[str, str]) -> dict:
    return {"body": urlencode(fields).encode(), "content_type": FORM}


def _json(document: object) -> dict:
    return {"body": json.dumps(document).encode()}


# Reads: every route that the resolver has -----------------------------------------------


def _filled(route: str, known: dict) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(known[name[1]]), route)


def _reads(known: dict) -> Iterator[tuple[str, Call]]:
    for route in sorted(test_routes.OWN):
        yield f"portal {route}", Call("GET", _filled(route, known), cookies=known["noor"])
    calls = known | {"reference": "call:c1"}
    for route in _of_method("GET", CONSOLE):
        path = _filled(f"console/{route}", calls)
        yield f"console {route}", Call("GET", path, cookies=known["lin"])
    for route in _of_method("GET", test_access.TABLE):
        headers = known["own"] if "/me/" in route else known["staff"]
        yield f"api {route}", Call("GET", _filled(route, known), headers=headers)
    for path in _admin_paths():
        yield f"admin {path}", Call("GET", path, cookies=known["lin"])
    search = {"q": "noor"}
    path = f"/console/search/?{urlencode(search)}"
    yield "console search for Noor", Call("GET", path, cookies=known["lin"])
    yield "api by key", Call("GET", f"/api/customers/{known['customer_id']}/", headers=known["key"])
    for path in ("/readyz", "/.well-known/butler-receipt-keys.json"):
        yield f"other {path}", Call("GET", path)


def _of_method(method: str, table: Iterable[str]) -> list[str]:
    operations = sorted(operation.split(" ", 1) for operation in table)
    return [route for name, route in operations if name == method]


def _admin_paths() -> Iterator[str]:
    yield "/admin/"
    for model in sorted(test_routes.MODELS):
        pk = apps.get_model(model.replace("/", ".")).objects.values_list("pk", flat=True).first()
        of_one = [f"{pk}/change/", f"{pk}/history/", f"{pk}/delete/"] if pk is not None else []
        for end in ("", "add/", *of_one):
            yield f"/admin/{model}/{end}"


# Writes: what changes something, each in the way of its clients ---------------------------


def _api_writes(known: dict) -> Iterator[tuple[str, Call]]:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for route in _of_method(method, test_access.TABLE):
            if route == "api/sign-in/":
                continue
            document = test_access._body(route) or _EXTRA.get(route.rpartition(">/")[2], {})
            headers = dict(known["own"] if "/me/" in route else known["staff"])
            if method == "POST":
                headers["Idempotency-Key"] = "once"
            call = Call(method, _filled(route, known), headers=headers, **_json(document))
            yield f"api {method} {route}", call


_EXTRA = {
    "finish/": {"outcome": "done"},
    "requests/": {"kind": "callback"},
}


def _wire_writes(known: dict) -> Iterator[tuple[str, Call]]:
    key, batch = known["key"], {"batch": [EVENT, EVENT | {"messageId": "m-2", "userId": "new"}]}
    yield "wire batch", Call("POST", "/v1/batch", headers=key, **_json(batch))
    strict = {**key, "x-strict-mode": "1"}
    yield "wire batch, strict", Call("POST", "/v1/batch", headers=strict, **_json(batch))
    yield "wire track", Call("POST", "/v1/track", headers=key, **_json(EVENT))
    cloud = {
        "specversion": "1.0",
        "id": "c-1",
        "source": "/till",
        "type": "Ride Entered",
        "subject": "noor@example.com",
        "data": {"email": "noor@example.com"},
    }
    kind = {"content_type": "application/cloudevents+json"}
    yield "wire cloudevents", Call("POST", "/v1/events", headers=key, **(_json(cloud) | kind))
    call = {"event": "newCall", "callId": "9", "from": "31612345678", "to": "31201234567"}
    yield "phone call", Call("POST", "/v1/phone/calls", headers=key, **_json(call))
    scan = {"device": "gate", "id": "1", "code": "A-1"}
    yield "store scan", Call("POST", "/v1/store/scans", headers=key, **_json(scan))
    lines = {"device": "gate", "sequence": 1, "lines": [{"id": "1", "card": "LK1"}]}
    yield "store batch", Call("POST", "/v1/store/batches", headers=key, **_json(lines))
    body = json.dumps({"type": "Ride Entered", "data": {"customer": {"email": "a@example.com"}}})
    now = timezone.now()
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    path = f"/v1/webhooks/{quote('Shop')}"
    yield "webhook", Call("POST", path, body.encode(), headers=signed)
    path = "/v1/phone/twilio/Switchboard"
    yield "phone twilio", Call("POST", path, headers=_twilio(path, VOICE), **_form(VOICE))
    text = {"MessageSid": "SM" + "1" * 32, "From": "+31612345678", "To": "+3120", "Body": "STOP"}
    path = "/v1/sms/inbound"
    yield "sms inbound", Call("POST", path, headers=_twilio(path, text), **_form(text))
    path = f"/u/{write(Scope(known['customer_id'], known['message_id'], '', 'visits'))}/"
    yield "unsubscribe", Call("POST", path, **_form({"List-Unsubscribe": "One-Click"}))


def _twilio(path: str, fields: dict[str, str]) -> dict[str, str]:
    address = f"http://testserver{path}"
    return {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(address, fields)}


def _page_writes(known: dict) -> Iterator[tuple[str, Call]]:
    at, task = f"/console/customers/{known['customer_id']}", f"/console/tasks/{known['task_id']}"
    line = {"line0_name": "Day", "line0_quantity": "1", "line0_price": "3", "currency": "EUR"}
    noors = {
        "portal read": (f"/inbox/{known['message_id']}/read/", {}),
        "portal preferences": ("/preferences/pause/", {"days": "7"}),
        "portal consent": ("/preferences/consent/", {"purpose": "offers", "answer": "withdraw"}),
        "portal sign-out": ("/sign-out/", {}),
    }
    staffs = {
        "console wishes": (f"{at}/wishes/pause/", {"days": "7", "how": "voice"}),
        "console cancel": (f"{at}/orders/A-1/cancel/", {}),
        "console order": (f"{at}/new-order/", {**line, "once": "1"}),
        "console take": (f"{task}/take/", {}),
        "console finish": (f"{task}/finish/", {"outcome": "done"}),
        "console apart": (f"/console/merges/{known['review_id']}/apart/", {}),
        "console topic": ("/console/topics/say/", {"key": "ride:x", "status": "closed"}),
        "console switch": ("/console/switches/throw/", {"key": "all", "reason": "x"}),
        "console sign-out": ("/console/sign-out/", {}),
        "admin add": (
            "/admin/customers/blockedvalue/add/",
            {"kind": "email", "value": "x@example.com", "reason": "x"},
        ),
    }
    for posts, cookies in ((noors, known["noor"]), (staffs, known["lin"])):
        for name, (path, fields) in posts.items():
            yield name, Call("POST", path, cookies=cookies, **_form(fields))


def _login_writes(known: dict) -> Iterator[tuple[str, Call]]:
    yield "api code", Call("POST", "/api/sign-in/", **_json({"email": "eli@example.com"}))
    shown = {"request": known["handle"], "code": known["code"]}
    yield "api prove", Call("POST", "/api/sign-in/", **_json(shown))
    shown = {"email": "noor@example.com", "handle": known["handle"], "code": known["code"]}
    yield "portal code", Call("POST", "/sign-in/", **_form({"email": "eli@example.com"}))
    yield "portal prove", Call("POST", "/sign-in/code/", cookies=known["noor"], **_form(shown))
    shown = {"email": "zoe@staff.example.com", "password": "four-words"}
    yield "console password", Call("POST", "/console/sign-in/", **_form(shown))
    shown = {"code": known["app"]()}
    yield (
        "console prove",
        Call("POST", "/console/sign-in/code/", cookies=known["half"], **_form(shown)),
    )
    path = "/_allauth/app/v1/auth/code/request"
    yield "headless code", Call("POST", path, **_json({"email": "eli@example.com"}))
    path = "/_allauth/app/v1/auth/code/confirm"
    headers = {"x-session-token": known["pending"]}
    yield "headless prove", Call("POST", path, headers=headers, **_json({"code": known["code"]}))


@pytest.fixture
def known(world, settings) -> dict:
    """Everything that a request can name, and everybody who may send it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SMS_ACCOUNT = {"url": "http://nowhere", "sid": SID, "token": TOKEN, "from": "+3120"}
    settings.ALLOWED_HOSTS = ["*"]
    things, callers = world
    address = ("email", "noor@example.com")
    factories.record(
        factories.identify(address, ("phone", "+31612345678"), ("card", "LK1"), name="Noor"),
        factories.item(
            address, name="Call Started", about="call:c1", properties={"direction": "in"}
        ),
    )
    for name, secret in (("Shop", SECRET), ("Switchboard", TOKEN)):
        Source.objects.create(name=name, channel="web", webhook_secrets=[secret])
    _, key = create_source(
        name="desk", channel="phone", is_secret=True, scopes=("ingest", "read", "identify")
    )
    now = timezone.now()
    code = sign_in.ask_for_code(email="noor@example.com", network="192.0.2.1", now=now)
    pending = SessionStore()
    pending["sign_in_request"] = code.handle
    pending.save()
    proved = SessionStore()
    noor, lin = Client(), Client()
    noor.force_login(User.objects.get(email="noor@example.com"), staff.BACKEND)
    colleague = User.objects.create_superuser("zoe@staff.example.com", "four-words")
    secret = staff_sign_in.new_secret()
    past = now - timedelta(hours=1)
    app_code = staff_sign_in.totp(secret, past)
    staff_sign_in.enroll(user=colleague, secret=secret, code=app_code, now=past)
    staff.let_in(lin, colleague)
    session = lin.session
    # Used a while ago, so that each page puts the end of the session off.
    session[access.TOUCHED] -= 2 * access.REFRESH
    session.save()
    proof = {"user": colleague.pk, "proof": colleague.get_session_auth_hash()}
    proved[access.PENDING] = proof | {"at": now.timestamp()}
    proved.save()
    return things | {
        "what": "pause",
        "own": _shown(callers["customer"]),
        "staff": _shown(callers["staff who write"]),
        "key": {"Authorization": f"Bearer {key}"},
        "noor": {conf.SESSION_COOKIE_NAME: noor.cookies[conf.SESSION_COOKIE_NAME].value},
        "lin": {conf.SESSION_COOKIE_NAME: lin.cookies[conf.SESSION_COOKIE_NAME].value},
        "handle": code.handle,
        "code": code.code,
        "pending": pending.session_key,
        "half": {conf.SESSION_COOKIE_NAME: proved.session_key},
        "app": lambda: staff_sign_in.totp(secret, timezone.now()),
    }


def _shown(client: Client) -> dict[str, str]:
    token = client.defaults["HTTP_X_SESSION_TOKEN"]
    return {"X-Session-Token": token}


class Bench:
    """Sends requests whole and cut, and compares answers and rows."""

    def __init__(self, monkeypatch, admin) -> None:
        self.site = cut.Site()
        self.cutter = cut.Cutter(monkeypatch, admin)
        self.rows = cut.Rows(admin)

    def whole(self, call: Call) -> cut.Reply:
        """Send the request uncut, from the saved rows."""
        self.rows.put_back()
        return self.cut(call, 0)

    def cut(self, call: Call, number: int) -> cut.Reply:
        with self.cutter.before(number):
            return self.site.send(call)


@pytest.fixture
def bench(known, monkeypatch) -> Iterator[Bench]:
    with cut.connect() as admin:
        table = Bench(monkeypatch, admin)
        try:
            yield table
        finally:
            table.rows.forget()


def _is_away(reply: cut.Reply) -> bool:
    return reply.status == 503 and reply.headers.get("Retry-After", "").isdigit()


def _few(number_of_steps: int, *, writes: bool, last_commit: int) -> list[int]:
    """Choose the steps to cut before: of a write, around its last commit."""
    if EVERY:
        return list(range(1, number_of_steps + 1))
    if writes:
        return sorted({1, last_commit, *range(last_commit + 1, number_of_steps + 1)} - {0})
    return [number_of_steps] if number_of_steps else []


def _cuts(bench: Bench, *, writes: bool) -> list[int]:
    steps = bench.cutter.steps
    commits = [number for number, text in enumerate(steps, 1) if text == "commit"]
    return _few(len(steps), writes=writes, last_commit=commits[-1] if commits else 0)


def _is_sampled(name: str) -> bool:
    """Take half of the administrator's pages and of the API's reads; they are made alike."""
    return not name.startswith(("admin", "api api/")) or crc32(name.encode()) % 2 == 0


@pytest.mark.parametrize("family", ["portal", "console", "api", "admin", "other"])
def test_cut_read_answers_503_and_the_next_one_succeeds(bench, known, family, subtests):
    for name, call in _reads(known):
        if not name.startswith(family) or not (EVERY or _is_sampled(name)):
            continue
        whole = bench.cut(call, 0)
        for number in _cuts(bench, writes=False):
            with subtests.test(name, cut_before=number):
                cut_reply, again = bench.cut(call, number), bench.cut(call, 0)

                # A step that was served from memory this time is not there to be cut.
                assert _is_away(cut_reply) or not bench.cutter.steps[number - 1 :]
                assert again.status == whole.status < 500


WRITES = {"api": _api_writes, "wire": _wire_writes, "pages": _page_writes, "login": _login_writes}
# Sent without EVERY too: at least one of each family, and what changes most before it answers.
QUICK = {
    "api PUT api/me/consents/<str:purpose>/",
    "api POST api/me/orders/",
    "api PATCH api/me/orders/<number:number>/",
    "api POST api/me/stream-ticket/",
    "wire batch",
    "wire track",
    "phone call",
    "store scan",
    "webhook",
    "sms inbound",
    "unsubscribe",
    "portal preferences",
    "console wishes",
    "console cancel",
    "admin add",
    "api prove",
    "portal prove",
    "console prove",
}


@pytest.mark.parametrize("family", WRITES)
def test_cut_write_denies_nothing_and_has_one_effect_when_sent_again(
    bench, known, family, subtests
):
    for name, call in WRITES[family](known):
        if not EVERY and name not in QUICK:
            continue
        whole = bench.whole(call)
        after = bench.rows.counts()
        assert whole.status < 500, (name, whole.body[:300])
        for number in _cuts(bench, writes=True):
            with subtests.test(name, cut_before=number):
                bench.rows.put_back()
                reply, effect = bench.cut(call, number), bench.rows.counts()
                if reply.status == whole.status:
                    assert _changed(effect, after) == {}
                    continue
                assert _is_away(reply), (reply.status, reply.body[:300])
                assert conf.SESSION_COOKIE_NAME not in reply.headers.get("Set-Cookie", "")
                again = bench.cut(call, 0)

                assert again.status == whole.status
                assert _changed(bench.rows.counts(), after) == {}


# Tries are counted, whatever comes of them.
UNCOUNTED = {"customers_guess"}


def _changed(counts: dict[str, int], expected: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {
        table: (count, expected[table])
        for table, count in counts.items()
        if count != expected[table] and table not in UNCOUNTED
    }


@pytest.mark.parametrize("debug", [False, True], ids=["production", "development"])
def test_cut_before_the_session_is_saved_leaves_success_standing(bench, known, settings, debug):
    """Django would answer 400, or with its page for developers 500, after the commit."""
    settings.DEBUG = debug
    call = dict(_page_writes(known))["admin add"]
    bench.whole(call)
    steps = bench.cutter.steps
    save = next(n for n, text in enumerate(steps, 1) if text.startswith('UPDATE "django_session"'))
    bench.rows.put_back()

    assert bench.cut(call, save).status == 302


def test_connection_cut_in_the_pool_fails_no_request(bench, known):
    call = dict(_reads(known))["api by key"]
    bench.whole(call)
    for _ in range(3):
        connection.ensure_connection()
        raw = connection.connection
        connection.close()
        bench.cutter.end_backend(raw)

        assert bench.cut(call, 0).status == 200


def test_no_code_of_ours_runs_statements_beside_the_runner():
    """Raw cursors of psycopg raise its own errors, which nobody answers 503 for."""
    raw = re.compile(r"\bCursor\(|connection\.connection\b|\.copy\(|(?<!db)\.pipeline\(")
    modules = [path for path in files("*.py") if path.parts[0] in (*APPS, "config")]
    beside = {str(path) for path in modules if raw.search((ROOT / path).read_text())}

    assert beside == {"customers/db/__init__.py"}
