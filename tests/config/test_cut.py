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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.conf import settings as conf
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from channels.email.unsubscribe import Scope, write
from channels.webhook.sources import Source
from customers.actions import sign_in
from customers.actions.sources import create_source
from customers.models import Review, User
from tests import factories, staff
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.channels.provider import SID, TOKEN
from tests.config import cut, test_access
from tests.config.cut import Call
from tests.customers import saying
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
    for operation in sorted(CONSOLE):
        method, route = operation.split(" ", 1)
        if method == "GET":
            path = _filled(f"console/{route}", known | {"reference": "call:c1"})
            yield f"console {route}", Call("GET", path, cookies=known["lin"])
    for operation in sorted(test_access.TABLE):
        method, route = operation.split(" ", 1)
        if method == "GET":
            headers = known["own"] if "/me/" in route else known["staff"]
            yield f"api {route}", Call("GET", _filled(route, known), headers=headers)
    for model in sorted(test_routes.MODELS):
        pk = apps.get_model(model.replace("/", ".")).objects.values_list("pk", flat=True).first()
        for end in ("", "add/", f"{pk}/change/", f"{pk}/history/", f"{pk}/delete/"):
            if pk is not None or end in ("", "add/"):
                yield (
                    f"admin {model}/{end.replace(str(pk), 'pk')}",
                    Call("GET", f"/admin/{model}/{end}", cookies=known["lin"]),
                )
    for path in ("/admin/", "/readyz", "/metrics", "/.well-known/butler-receipt-keys.json"):
        yield f"other {path}", Call("GET", path, cookies=known["lin"])
    search = {"q": "noor", "identifier": "email:noor@example.com"}
    yield "console search", Call("GET", f"/console/search/?{urlencode(search)}", cookies=known["lin"])
    yield "api by key", Call("GET", f"/api/customers/{known['customer_id']}/", headers=known["key"])


# Writes: what changes something, each in the way of its clients ---------------------------


def _api_writes(known: dict) -> Iterator[tuple[str, Call]]:
    for operation in sorted(test_access.TABLE):
        method, route = operation.split(" ", 1)
        if method == "GET" or route == "api/sign-in/":
            continue
        body = test_access._body(route) or _EXTRA.get(route.rsplit(">/", 1)[-1], {})
        headers = dict(known["own"] if "/me/" in route else known["staff"])
        if method == "POST":
            headers["Idempotency-Key"] = "once"
        yield f"api {operation}", Call(method, _filled(route, known), headers=headers, **_json(body))


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
    noor, lin = known["noor"], known["lin"]
    posts = {
        "/sign-in/": {"email": "eli@example.com"},
        "/sign-in/code/": {"email": "noor@example.com", "handle": known["handle"], "code": known["code"]},
        f"/inbox/{known['message_id']}/read/": {},
        "/preferences/pause/": {"days": "7"},
        "/preferences/consent/": {"purpose": "offers", "answer": "withdraw"},
        "/sign-out/": {},
    }
    for path, fields in posts.items():
        yield f"portal POST {path}", Call("POST", path, cookies=noor, **_form(fields))
    at = f"/console/customers/{known['customer_id']}"
    line = {"line0_name": "Day", "line0_quantity": "1", "line0_price": "3", "currency": "EUR"}
    posts = {
        f"{at}/wishes/pause/": {"days": "7", "how": "voice"},
        f"{at}/orders/A-1/cancel/": {},
        f"{at}/new-order/": {**line, "once": "1"},
        f"{at}/merges/{known['merge_id']}/part/": {"reason": "x"},
        f"/console/tasks/{known['task_id']}/take/": {},
        f"/console/tasks/{known['task_id']}/finish/": {"outcome": "done"},
        f"/console/merges/{known['review_id']}/apart/": {},
        "/console/topics/say/": {"key": "ride:x", "status": "closed", "seen": "open"},
        "/console/switches/throw/": {"key": "all", "reason": "x"},
        "/console/sign-in/": {"email": "lin@staff.example.com", "password": "four-words"},
        "/console/sign-out/": {},
    }
    for path, fields in posts.items():
        yield f"console POST {path}", Call("POST", path, cookies=lin, **_form(fields))
    fields = {"kind": "email", "value": "x@example.com", "reason": "x"}
    path = "/admin/customers/blockedvalue/add/"
    yield "admin POST", Call("POST", path, cookies=lin, **_form(fields))


def _sign_in_writes(known: dict) -> Iterator[tuple[str, Call]]:
    yield "api code", Call("POST", "/api/sign-in/", **_json({"email": "eli@example.com"}))
    shown = {"request": known["handle"], "code": known["code"]}
    yield "api prove", Call("POST", "/api/sign-in/", **_json(shown))
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
        factories.item(address, name="Call Started", about="call:c1", properties={"direction": "in"}),
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
    noor, lin = Client(), Client()
    noor.force_login(User.objects.get(email="noor@example.com"), staff.BACKEND)
    colleague = User.objects.get(email="lin@staff.example.com")
    colleague.set_password("four-words")
    colleague.is_superuser = True
    colleague.save()
    staff.let_in(lin, colleague)
    return things | {
        "what": "pause",
        "own": callers["customer"].defaults_headers() if False else _shown(callers["customer"]),
        "staff": _shown(callers["staff who write"]),
        "key": {"Authorization": f"Bearer {key}"},
        "noor": {conf.SESSION_COOKIE_NAME: noor.cookies[conf.SESSION_COOKIE_NAME].value},
        "lin": {conf.SESSION_COOKIE_NAME: lin.cookies[conf.SESSION_COOKIE_NAME].value},
        "handle": code.handle,
        "code": code.code,
        "pending": pending.session_key,
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
        with self.cutter.before(0):
            reply = self.site.send(call)
        return reply

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


def test_explore(bench, known):
    bad = []
    for name, call in [*_reads(known), *_api_writes(known), *_wire_writes(known), *_page_writes(known), *_sign_in_writes(known)]:
        start = bench.rows.counts()
        whole = bench.whole(call)
        steps, after = list(bench.cutter.steps), bench.rows.counts()
        print(name, whole.status, len(steps), {k: (start[k], v) for k, v in after.items() if v != start.get(k)})
        if whole.status >= 400:
            print("    ", whole.body[:300])
        writes = call.method != "GET"
        for number in range(1, len(steps) + 1):
            if writes:
                bench.rows.put_back()
            before = bench.rows.counts() if writes else None
            reply = bench.cut(call, number)
            step = " ".join(bench.cutter.steps[number-1].split())[:60] if number <= len(bench.cutter.steps) else "-"
            if not (_is_away(reply) or reply.status == whole.status):
                print("   BAD status", number, step, reply.status, reply.body[:200]); bad.append((name, number, reply.status))
            if writes:
                if reply.status == whole.status and bench.rows.counts() != after:
                    print("   BAD rows", number, step, {k: (v, after[k]) for k, v in bench.rows.counts().items() if v != after.get(k)})
                if reply.status != whole.status:
                    again = bench.cut(call, 0)
                    n = bench.rows.counts()
                    if again.status != whole.status or n != after:
                        print("   BAD again", number, step, again.status, {k: (v, after[k]) for k, v in n.items() if v != after.get(k)}, again.body[:100])
            elif reply.status == 503:
                nxt = bench.cut(call, 0)
                if nxt.status != whole.status:
                    print("   BAD next", number, step, nxt.status)
            elif reply.body != whole.body and reply.status == whole.status:
                print("   DIFF body", number, step)
    print(bad)
