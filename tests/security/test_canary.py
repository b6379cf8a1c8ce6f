"""A word that is found nowhere else, in every place that holds something of somebody: it is then
looked for in all that design.md says holds nothing of anybody.

Real web, live, worker and beat, a real relay and a provider of SMS; logs as in production and at
their most talkative; every command that Valkey was given.
"""

import base64
import json
import re
import time
import uuid
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx2
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from channels import unsubscribe
from customers.actions.sources import create_source
from customers.models import Identifier
from tests import staff
from tests.butler import live_automations
from tests.channels import provider as providers
from tests.channels import relay as relays
from tests.channels.provider import Provider
from tests.channels.relay import Relay
from tests.customers import consent_helpers
from tests.security.all_processes import AllProcesses, CommandMonitor
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

MARK = "kanarie7q"
EMAIL, PHONE = f"{MARK}mail@example.com", "+31611223344"
# Traces and due rows name records and contain no personal data.
TABLES_WITHOUT_PERSONAL_DATA = (
    "butler_decision",
    "customers_ledgerentry",
    "customers_accesslogentry",
    "butler_due",
    "butler_budgetuse",
    "butler_providerlimit",
    "butler_heartbeat",
    "customers_source",
    "customers_space",
    "channels_streamticket",
)
PERSONAL = re.compile(rf"{MARK}|611223344|11223344", re.IGNORECASE)


def word(place: str) -> str:
    return f"{MARK}{place}"


@pytest.fixture
def relay():
    relay = Relay()
    controller, port = relays.start(relay)
    yield relay, port
    controller.stop()


@pytest.fixture
def processes(transactional_db, relay, tmp_path):
    provider = Provider()
    system = AllProcesses(tmp_path, relay[1], provider)
    monitor = CommandMonitor(system.redis_url)
    try:
        consent_helpers.house()
        for channel in ("inbox", "email", "sms"):
            _automation(channel)
        system.start()
        yield system, monitor
    finally:
        system.stop()
        monitor.close()
        provider.stop()


def _automation(channel: str) -> None:
    template = "{{ customer.first_name }} {{ order.name }} {{ customer.traits.diet }}"
    text = {"subject": template, "text": f"{template}\n\n{{{{ customer.card | default: 'none' }}}}"}
    live_automations.automation(
        f"receipt-{channel}",
        steps=[{"kind": "message", "channels": [channel], "texts": {"en": text, "nl": text}}],
        # At any hour: what the law asks for waits for no morning.
        relation="",
        **{"class": "legal_duty"},
    )


class Visitor:
    """A client for which no request ends in a server error."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx2.Client(timeout=20)

    def ask(self, method: str, path: str, *, expect: int | None = None, **more):
        answer = self.http.request(method, self.base + path, **more)
        assert answer.status_code < 500, (path, answer.text[:300])
        assert expect is None or answer.status_code == expect, (path, answer.text[:300])
        return answer


def _events() -> list[dict]:
    now = timezone.now()
    shared = {"userId": word("user"), "context": {"ip": "203.0.113.9", "userAgent": word("agent")}}
    traits = {
        "email": EMAIL,
        "phone": PHONE,
        "first_name": word("first"),
        "name": word("first") + " " + word("last"),
        "diet": word("trait"),
        "card": word("card"),
        "birth_date": "1988-06-11",
        "address": {"street": word("street")},
        "language": "en",
    }
    order = {
        "order_id": word("order"),
        "name": word("ordername"),
        "visit_date": (now + timedelta(days=9)).date().isoformat(),
        "note": word("ordernote"),
        "party": [{"name": word("party")}],
        "lines": [{"line_id": word("line"), "name": word("linename"), "quantity": 2, "price": 1}],
    }
    return [
        {"type": "identify", "traits": traits, "messageId": word("m1"), **shared},
        {"type": "track", "event": "Order Completed", "properties": order, **shared},
        {"type": "track", "event": word("event"), "properties": {word("key"): word("v")}, **shared},
        {"type": "track", "event": "\x00" + word("bad"), "properties": {"a": 1}, **shared},
        {"type": "wrong" + MARK, **shared},
    ]


def _code(letters: list) -> str:
    letter = wait_until(lambda: letters and letters[-1])
    return re.search(r"\b\d{6}\b", letter.message["Subject"])[0]


def _send_events(visitor: Visitor, key: str) -> None:
    auth = {"Authorization": f"Bearer {key}"}
    basic = httpx2.BasicAuth(key, "")
    visitor.ask("POST", "/v1/batch", json={"batch": _events()}, auth=basic)
    visitor.ask("POST", "/v1/track", content=f'{{"a": "{MARK}"', auth=basic)
    visitor.ask(
        "POST",
        "/v1/track",
        content=b"\x1f\x8b" + MARK.encode(),
        headers={"content-encoding": "gzip"},
    )
    visitor.ask(
        "POST",
        "/v1/phone/calls",
        headers=auth,
        json={
            "event": "newCall",
            "callId": word("call"),
            "direction": "in",
            "from": PHONE,
            "to": "1",
        },
    )
    visitor.ask(
        "POST",
        "/v1/store/scans",
        headers=auth,
        json={"card": word("card"), "at": timezone.now().isoformat(), "gate": word("gate")},
    )
    for query in (f"email:{EMAIL}", f"phone:{PHONE}", f"card:{word('card')}", word("x")):
        visitor.ask("GET", f"/api/customers/?identifier={quote(query)}", headers=auth)


def _sign_in(visitor: Visitor, letters: list) -> tuple[str, set[str]]:
    """Sign in through the API, once with a wrong code; return the token and all secrets."""
    code_request = visitor.ask("POST", "/api/sign-in/", json={"email": EMAIL}, expect=202).json()
    code = _code(letters)
    wrong = {"request": code_request["request"], "code": f"{MARK}x"[:20]}
    visitor.ask("POST", "/api/sign-in/", json=wrong, expect=403)
    shown = {"request": code_request["request"], "code": code}
    token = visitor.ask("POST", "/api/sign-in/", json=shown, expect=200).json()["session_token"]
    return token, {code, token, code_request["request"]}


def _state_preferences(visitor: Visitor, token: str) -> None:
    own = {"X-Session-Token": token}
    notice = {"answer": "yes", "notice": consent_helpers.NOTICE, "language": "en"}
    visitor.ask("GET", "/api/me/", headers=own, expect=200)
    visitor.ask("PUT", "/api/me/consents/offers/", headers=own, json={"state": "given", **notice})
    visitor.ask("GET", "/api/me/ledger/", headers=own, expect=200)
    request_words = {
        "subject": word("subject"),
        "note": word("requestnote"),
        "topic": word("topic"),
    }
    key = {"Idempotency-Key": uuid.uuid4().hex}
    visitor.ask("POST", "/api/me/requests/", headers=own | key, json=request_words)
    member = {"name": word("member"), "birth_date": "2018-04-18"}
    visitor.ask("PUT", f"/api/me/party/{word('ref')}/", headers=own | key, json=member)
    cookie = {"Cookie": f"sessionid={token}"}
    for path in ("/", "/orders/", f"/orders/{word('order')}/", "/inbox/", "/preferences/", "/why/"):
        visitor.ask("GET", path, headers=cookie)
    visitor.ask("GET", f"/orders/{word('order')}/calendar.ics", headers=cookie)


def _use_the_console(visitor: Visitor, customer_id) -> None:
    boss = staff.let_in(Client(), staff.colleague("manager"))
    cookie = {"Cookie": f"sessionid={boss.session.session_key}"}
    for search_text in (EMAIL, PHONE, word("last"), word("order"), word("card"), word("typo")):
        visitor.ask("GET", f"/console/search/?{urlencode({'q': search_text})}", headers=cookie)
    for path in (f"customers/{customer_id}/", "calls/", f"calls/{word('call')}/", "tasks/"):
        visitor.ask("GET", f"/console/{path}", headers=cookie)
    visitor.ask("GET", f"/console/customers/{customer_id}/orders/{word('order')}/", headers=cookie)
    visitor.ask("GET", f"/console/customers/{customer_id}/access-log/", headers=cookie)
    visitor.ask("POST", f"/console/tasks/{uuid.uuid4()}/take/", headers=cookie, data={"n": MARK})


def _reply_and_unsubscribe(visitor: Visitor, system: AllProcesses, customer_id) -> None:
    fields = {"MessageSid": "SM" + "a" * 32, "From": PHONE, "Body": f"hello {MARK}sms"}
    providers.call(f"{system.web}/v1/sms/inbound", fields)
    providers.call(f"{system.web}/v1/sms/inbound", fields | {"Body": "STOP"}, token="forged")
    providers.call(
        f"{system.web}/v1/sms/inbound", fields | {"MessageSid": "SM" + "b" * 32, "Body": "STOP"}
    )
    link = unsubscribe.sign_token(
        unsubscribe.UnsubscribeScope(customer_id, customer_id, "offers", "")
    )
    visitor.ask("GET", f"/u/{link}/")
    visitor.ask("POST", f"/u/{link}/", data={"List-Unsubscribe": "One-Click"})
    visitor.ask("POST", f"/u/{link}{MARK}/", expect=404)


def _open_streams(system: AllProcesses, token: str) -> None:
    headers = {"X-Session-Token": token}
    with httpx2.Client(timeout=10) as http:
        with http.stream("GET", f"{system.live}/live/me?q={MARK}", headers=headers) as stream:
            assert stream.status_code == 200
            next(stream.iter_bytes())
        assert http.get(f"{system.live}/live/me?ticket={MARK}").status_code in (400, 401)


def _rows(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT row_to_json(stored)::text FROM "{table}" stored')
        return "\n".join(text for (text,) in cursor.fetchall())


def test_personal_data_is_in_no_log_queue_or_technical_table(processes, relay):
    system, monitor = processes
    letters = relay[0].letters
    _, key = create_source(
        name="server", channel="app", is_secret=True, scopes=("ingest", "read", "identify")
    )
    visitor = Visitor(system.web)

    _send_events(visitor, key)
    noor = Identifier.objects.get(kind="email", value=EMAIL, evidence=2).customer
    wait_until(lambda: [letter for letter in letters if MARK in str(letter.message["Subject"])])
    wait_until(lambda: system.provider.messages)
    token, secrets = _sign_in(visitor, letters)
    _state_preferences(visitor, token)
    _open_streams(system, token)
    _use_the_console(visitor, noor.pk)
    _reply_and_unsubscribe(visitor, system, noor.pk)
    time.sleep(1)
    visitor.http.close()
    system.stop()

    _check_that_all_was_processed(system, monitor, str(noor.pk))
    marks_by_place = {
        place: _matches_in_context(text, secrets | {key, key[-20:]})
        for place, text in _texts_by_place(system, monitor).items()
    }
    assert {place: marks for place, marks in marks_by_place.items() if marks} == {}
    # The table stores who asks for a code, but not the code and its secret.
    assert _matches_in_context(_rows("customers_signincode").replace(MARK, ""), secrets) == []


def _check_that_all_was_processed(
    system: AllProcesses, monitor: CommandMonitor, customer_id: str
) -> None:
    """Check that the data was stored, and that all logs and commands were recorded."""
    assert PERSONAL.search(_rows("customers_event"))
    assert PERSONAL.search(_rows("butler_message"))
    assert {"web.log", "live.log", "worker.log", "beat.log"} == set(system.logs())
    assert "console/search/" in system.logs()["web.log"]
    assert any("butler.tick" in command for command in monitor.commands)
    assert any(customer_id in command for command in monitor.commands)
    assert any(_decoded(command) != command for command in monitor.commands)


def _texts_by_place(system: AllProcesses, monitor: CommandMonitor) -> dict[str, str]:
    """Return every text that must hold no personal data, by the name of its place."""
    places = {f"log {name}": text for name, text in system.logs().items()}
    places["commands to Valkey"] = "\n".join(_decoded(command) for command in monitor.commands)
    places["what Valkey keeps"] = json.dumps(monitor.stored_values())
    for table in ("butler_decision", "customers_ledgerentry", "customers_accesslogentry"):
        assert _rows(table), table
    for table in TABLES_WITHOUT_PERSONAL_DATA:
        places[f"table {table}"] = _rows(table)
    return places


def _decoded(command: str) -> str:
    """Return a command with what is in Base64 in it, as the bodies of tasks are, written out."""
    bodies = re.findall(r'\\"body\\": ?\\"([A-Za-z0-9+/=]+)\\"', command)
    return "\n".join([command, *(base64.b64decode(body).decode() for body in bodies)])


def _matches_in_context(text: str, secrets: set[str]) -> list[str]:
    # A code may well be the microseconds of some time.
    looked = [PERSONAL, *(re.compile(rf"(?<![.\w]){re.escape(secret)}\b") for secret in secrets)]
    return [
        text[max(0, hit.start() - 150) : hit.end() + 80]
        for pattern in looked
        for hit in list(pattern.finditer(text))[:3]
    ]
