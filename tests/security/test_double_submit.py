"""Each form and each POST of the API is sent twice at the same moment.

The forms are those of the pages. No request fails, and no effect occurs twice. Intended changes in
two windows: test_concurrency.py.
"""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client
from django.utils import timezone

from butler.actions import staff_tasks
from butler.models import Message, PauseSwitch, StaffTask, TopicStatus
from customers.models import Customer, Event, Merge, Order, Review, User
from tests import factories, staff
from tests.config.test_access import TABLE as API
from tests.config.test_access import _body, world
from tests.customers import consent_helpers
from tests.security.test_concurrency import together

__all__ = ["world"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BY = ("email", "noor@example.com")
# The values for the text fields of the forms.
TYPED = {
    "name": "Lantern Night",
    "visit_date": "2031-04-18",
    "line0_name": "Day ticket",
    "line0_quantity": "2",
    "line0_price": "34.50",
    "line1_name": "",
    "key": "ride:night-mail",
    "status": "down",
    "reason": "Somebody waits",
    "note": "She will call back",
    "zone": "Europe/Amsterdam",
    "limit": "3",
    "from": "21:00",
    "until": "08:00",
    "pause": "2031-04-18",
    "date": "2031-04-18",
    "read": "on",
}


class Form(NamedTuple):
    """The request that one button sends."""

    page: str
    action: str
    fields: tuple[tuple[str, str], ...]


class Forms(HTMLParser):
    """Read the forms of a page as a browser does, and fill what is empty in."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page, self.forms = page, []
        self._action, self._fields, self._buttons = "", [], []
        self._select, self._options = "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        name, value = attributes.get("name") or "", attributes.get("value") or ""
        if tag == "form":
            is_post = (attributes.get("method") or "").lower() == "post"
            self._action = (attributes.get("action") or self.page) if is_post else ""
            self._fields, self._buttons = [], []
        elif tag == "input" and name:
            self._input(attributes.get("type") or "text", name, value, "checked" in attributes)
        elif tag == "textarea" and name:
            self._fields.append((name, TYPED.get(name, "Said")))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._options.append((value, "selected" in attributes))
        elif tag == "button" and attributes.get("type") != "button":
            self._buttons.append((name, value))

    def _input(self, kind: str, name: str, value: str, is_on: bool) -> None:
        field_values = dict(self._fields)
        if kind == "radio" and (is_on or name not in field_values):
            self._fields = [field for field in self._fields if field[0] != name] + [(name, value)]
        elif kind == "checkbox" and (is_on or name in TYPED):
            self._fields.append((name, value or "on"))
        elif kind not in ("radio", "checkbox"):
            self._fields.append((name, value or TYPED.get(name, "")))

    def handle_endtag(self, tag):
        if tag == "select" and self._options:
            chosen = [value for value, is_on in self._options if is_on] or [self._options[0][0]]
            self._fields.append((self._select, chosen[0]))
            self._select = ""
        elif tag == "form" and self._action:
            for name, value in self._buttons or [("", "")]:
                pressed = [*self._fields, (name, value)] if name else self._fields
                self.forms.append(Form(self.page, self._action, tuple(pressed)))
            self._action = ""


@pytest.fixture
def noor() -> Customer:
    """A record with something of everything that a form is about."""
    consent_helpers.house()
    noor = factories.customer(BY, ("phone", "+31612345678"), first_name="Noor")
    lines = [{"line_id": str(n), "name": "Day", "quantity": 2, "price": 1} for n in (1, 2)]
    factories.record(
        factories.order("A-1", BY, visit_date="2031-04-18", lines=lines),
        factories.incoming_event(BY, name="Callback Requested", about="request:m1"),
    )
    for number in range(3):
        eli = factories.customer(("email", f"eli{number}@example.com"), first_name="Eli")
        Review.objects.create(kind="suggested_merge", first=noor, second=eli)
        key, now = f"t{number}", timezone.now()
        staff_tasks.create(
            key=key, kind="phone", customer_id=noor.pk, title=key, body="", due_at=now
        )
    TopicStatus.objects.create(key="ride:x", status="open", changed_at=timezone.now())
    factories.message(noor)
    return noor


def effects() -> Counter:
    """Return the effects that a customer or staff can see, with the count of each."""
    encode = DjangoJSONEncoder(sort_keys=True).encode
    effect_counts = Counter()
    for event in Event.objects.exclude(kind="control"):
        properties = event.body.get("properties") or event.body.get("traits") or {}
        effect_counts["event", event.customer_id, event.name, event.about, encode(properties)] += 1
    for model, key in (
        (Order, "number"),
        (StaffTask, "title"),
        (Merge, "record_id"),
        (PauseSwitch, "key"),
    ):
        for value in model.objects.values_list("customer_id" if model is Order else key, flat=True):
            effect_counts[model.__name__, str(value)] += 1
    return effect_counts


def doubled(before: Counter, after: Counter) -> dict:
    return {what: many for what, many in (after - before).items() if many > 1}


def pressed_twice(client: Client, form: Form) -> tuple[list[object], dict]:
    """Send what a double click sends; return the answers, and what was done twice."""
    before = effects()
    path = urlsplit(form.action).path if form.action.startswith("http") else form.action

    def press():
        browser = Client()
        browser.cookies = client.cookies
        kind = "application/x-www-form-urlencoded"
        return browser.post(path.split("#")[0], urlencode(form.fields), content_type=kind)

    answers = [getattr(answer, "status_code", answer) for answer in together(press, press)]
    return answers, doubled(before, effects())


def pages(noor: Customer) -> dict[str, list[str]]:
    record = f"/console/customers/{noor.pk}"
    message_id = Message.objects.get(customer_id=noor.pk).pk
    return {
        "noor": ["/", "/orders/A-1/", "/inbox/", f"/inbox/{message_id}/", "/preferences/"],
        "lin": [
            *(
                f"{record}/",
                f"{record}/preferences/",
                f"{record}/new-order/",
                f"{record}/orders/A-1/",
            ),
            *("/console/tasks/", "/console/topics/", "/console/switches/"),
            *(f"/console/merges/{review.pk}/" for review in Review.objects.all()),
        ],
    }


def test_form_submitted_twice_concurrently_has_one_effect(noor):
    customer, lin = Client(), Client()
    customer.force_login(User.objects.create_user("noor@example.com", record=noor), staff.BACKEND)
    staff.let_in(lin, staff.colleague("manager", "Lin", is_superuser=True))
    wrong, actions = {}, Counter()
    for who, client in (("noor", customer), ("lin", lin)):
        for page in pages(noor)[who]:
            shown = client.get(page)
            assert shown.status_code == 200, page
            for form in Forms(page, shown.content.decode()).forms:
                if "sign-out" in form.action or "language" in form.action:
                    continue
                answers, twice = pressed_twice(client, form)
                actions[form.action] += 1
                if twice or not all(status in (200, 302, 403, 404, 409, 422) for status in answers):
                    wrong[form.action, form.fields] = answers, twice

    assert wrong == {}
    assert len(actions) >= 20, sorted(actions)


# Two of these requests have two effects, because only an Idempotency-Key marks them as the same.
# A service request that is closed again stays one request.
REPEATABLE = ("/orders/", "/party/", "/requests/", "/close/")


def test_api_request_sent_twice_concurrently_has_one_effect(world):
    things, callers = world
    wrong, operation_count = {}, 0
    for operation in API:
        method, route = operation.split(" ", 1)
        if method in ("GET", "PATCH"):
            continue
        path = "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(things[name[1]]), route)
        body = json.dumps(_body(route))
        client = callers["customer" if "/me/" in route else "staff who write"]
        before = effects()

        def send(
            method: str = method, path: str = path, body: str = body, by: Client = client
        ) -> object:
            asking = Client(**by.defaults)
            return asking.generic(method, path, body, content_type="application/json")

        answers = [getattr(answer, "status_code", answer) for answer in together(send, send)]
        twice = doubled(before, effects())
        operation_count += 1
        is_broken = not all(isinstance(answer, int) and answer < 500 for answer in answers)
        if is_broken or (twice and not route.endswith(REPEATABLE)):
            wrong[operation] = answers, twice
    assert wrong == {}
    assert operation_count >= 30
