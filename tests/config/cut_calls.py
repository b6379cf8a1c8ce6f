"""The requests for the cut tests: all reads of the URL resolver, and writes of each family.

Each function takes the values of the fixture `known` of test_cut, and yields names and requests.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from django.apps import apps
from django.utils import timezone
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from channels.unsubscribe import UnsubscribeScope, sign_token
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.channels.provider import TOKEN
from tests.config import test_access
from tests.config.cut import Call
from tests.security import test_routes

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


# Reads: all routes of the URL resolver --------------------------------------------------


def _filled(route: str, values: dict) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(values[name[1]]), route)


def reads(values: dict) -> Iterator[tuple[str, Call]]:
    for route in sorted(test_routes.OWN):
        yield f"portal {route}", Call("GET", _filled(route, values), cookies=values["noor"])
    calls = values | {"reference": "call:c1"}
    for route in _of_method("GET", CONSOLE):
        path = _filled(f"console/{route}", calls)
        yield f"console {route}", Call("GET", path, cookies=values["lin"])
    for route in _of_method("GET", test_access.TABLE):
        headers = values["own"] if "/me/" in route else values["staff"]
        yield f"api {route}", Call("GET", _filled(route, values), headers=headers)
    for path in _admin_paths():
        yield f"admin {path}", Call("GET", path, cookies=values["lin"])
    search = {"q": "noor"}
    path = f"/console/search/?{urlencode(search)}"
    yield "console search for Noor", Call("GET", path, cookies=values["lin"])
    yield (
        "api by key",
        Call("GET", f"/api/customers/{values['customer_id']}/", headers=values["key"]),
    )
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


# Writes: requests that change rows, each in the format of its clients ---------------------


def api_writes(values: dict) -> Iterator[tuple[str, Call]]:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for route in _of_method(method, test_access.TABLE):
            if route == "api/sign-in/":
                continue
            document = test_access._body(route) or _EXTRA.get(route.rpartition(">/")[2], {})
            headers = dict(values["own"] if "/me/" in route else values["staff"])
            if method == "POST":
                headers["Idempotency-Key"] = "once"
            call = Call(method, _filled(route, values), headers=headers, **_json(document))
            yield f"api {method} {route}", call


_EXTRA = {
    "finish/": {"outcome": "done"},
    "requests/": {"kind": "callback"},
}


def wire_writes(values: dict) -> Iterator[tuple[str, Call]]:
    key, batch = values["key"], {"batch": [EVENT, EVENT | {"messageId": "m-2", "userId": "new"}]}
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
    scope = UnsubscribeScope(values["customer_id"], values["message_id"], "", "visits")
    path = f"/u/{sign_token(scope)}/"
    yield "unsubscribe", Call("POST", path, **_form({"List-Unsubscribe": "One-Click"}))


def _twilio(path: str, fields: dict[str, str]) -> dict[str, str]:
    address = f"http://testserver{path}"
    return {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(address, fields)}


def page_writes(values: dict) -> Iterator[tuple[str, Call]]:
    at, task = f"/console/customers/{values['customer_id']}", f"/console/tasks/{values['task_id']}"
    line = {"line0_name": "Day", "line0_quantity": "1", "line0_price": "3", "currency": "EUR"}
    noors = {
        "portal read": (f"/inbox/{values['message_id']}/read/", {}),
        "portal preferences": ("/preferences/pause/", {"days": "7"}),
        "portal consent": ("/preferences/consent/", {"purpose": "offers", "answer": "withdraw"}),
        "portal sign-out": ("/sign-out/", {}),
    }
    staffs = {
        "console wishes": (f"{at}/preferences/pause/", {"days": "7", "how": "voice"}),
        "console cancel": (f"{at}/orders/A-1/cancel/", {}),
        "console order": (f"{at}/new-order/", {**line, "once": "1"}),
        "console take": (f"{task}/take/", {}),
        "console finish": (f"{task}/finish/", {"outcome": "done"}),
        "console apart": (f"/console/merges/{values['review_id']}/decline/", {}),
        "console topic": ("/console/topics/status/", {"key": "ride:x", "status": "closed"}),
        "console switch": ("/console/switches/engage/", {"key": "all", "reason": "x"}),
        "console sign-out": ("/console/sign-out/", {}),
        "admin add": (
            "/admin/customers/blockedvalue/add/",
            {"kind": "email", "value": "x@example.com", "reason": "x"},
        ),
    }
    for posts, cookies in ((noors, values["noor"]), (staffs, values["lin"])):
        for name, (path, fields) in posts.items():
            yield name, Call("POST", path, cookies=cookies, **_form(fields))


def login_writes(values: dict) -> Iterator[tuple[str, Call]]:
    yield "api code", Call("POST", "/api/sign-in/", **_json({"email": "eli@example.com"}))
    shown = {"request": values["handle"], "code": values["code"]}
    yield "api prove", Call("POST", "/api/sign-in/", **_json(shown))
    shown = {"email": "noor@example.com", "handle": values["handle"], "code": values["code"]}
    yield "portal code", Call("POST", "/sign-in/", **_form({"email": "eli@example.com"}))
    yield "portal prove", Call("POST", "/sign-in/code/", cookies=values["noor"], **_form(shown))
    shown = {"email": "zoe@staff.example.com", "password": "four-words"}
    yield "console password", Call("POST", "/console/sign-in/", **_form(shown))
    shown = {"code": values["app"]()}
    yield (
        "console prove",
        Call("POST", "/console/sign-in/code/", cookies=values["half"], **_form(shown)),
    )
    path = "/_allauth/app/v1/auth/code/request"
    yield "headless code", Call("POST", path, **_json({"email": "eli@example.com"}))
    path = "/_allauth/app/v1/auth/code/confirm"
    headers = {"x-session-token": values["pending"]}
    yield "headless prove", Call("POST", path, headers=headers, **_json({"code": values["code"]}))
