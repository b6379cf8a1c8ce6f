"""Hostile input of a browser: odd bytes in every field of every page. No page answers 500.

NUL, which Postgres refuses; lone surrogates, which UTF-8 refuses; numbers beyond every column;
texts longer than every column; JSON of the wrong shape; header and path tricks.
"""

import uuid
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from butler.actions import staff_tasks
from butler.models import TopicStatus
from customers.models import Merge, Review, User
from tests import factories, staff
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.customers import consent_helpers
from tests.security.test_routes import ADMIN, OPEN, OWN

HOSTILE = (
    "\x00",
    "a\x00b",
    "\ud800",
    "\u2028\r\nX-Bad: 1",
    "9" * 30,
    "-1",
    "NaN",
    "x" * 5000,
    "' OR 1=1 --",
    "../../../etc/passwd",
    "{{7*7}}{%debug%}",
    "<script>alert(1)</script>",
    "[[[[",
    "\u202eevil",
    "0001-01-01T00:00:00Z",
)
# Every name of a query or of a form that some page reads.
_NAMES = (
    "q for cursor next parts record page o e _changelist_filters language email code handle"
    " password purpose answer notice most per from to day days zone on was channel do key reason"
    " outcome note name visit_date visit_time guests currency count token step confirm look"
    " 0-name 0-quantity 0-price 0-id line-0-name line-0-quantity lines quantity price url term"
    " app_label model_name field_name status__exact p search_term"
)
FIELDS = _NAMES.split()


@pytest.fixture(autouse=True)
def _development(settings, tmp_path, quick_hashes):
    settings.BUTLER_HOME, settings.DEBUG = tmp_path, True
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}


@pytest.fixture
def noor(db):
    address = ("email", "noor@example.com")
    noor = factories.customer(address, ("phone", "+46701740605"), first_name="Noor")
    factories.record(
        factories.order("A-1", address, lines=[{"line_id": "1", "name": "Day", "quantity": 2}])
    )
    consent_helpers.house()
    return noor


@pytest.fixture
def places(noor) -> dict[str, object]:
    """Existing objects, so that a request passes the look-up of its id."""
    now = timezone.now()
    other = factories.customer(("email", "eli@example.com"))
    TopicStatus.objects.create(key="ride:x", status="open", changed_at=now)
    merge = Merge.objects.create(merged_into=noor, record=other, reason="staff", merged_at=now)
    task = staff_tasks.create(
        key="t", kind="phone", customer_id=noor.id, title="x", body="", due_at=now
    )
    return {
        "customer_id": noor.id,
        "number": "A-1",
        "line": "1",
        "reference": "c1",
        "task_id": task,
        "merge_id": merge.pk,
        "review_id": Review.objects.create(kind="identifier_limit", first=noor).pk,
        "message_id": factories.message(noor).pk,
        "entry_id": consent_helpers.say(noor.id, consent_helpers.give()).entries[0],
        "name": "consent",
    }


def _client_of(who: str, noor) -> Client:
    client = Client(raise_request_exception=False)
    if who == "customer":
        client.force_login(User.objects.create_user("noor@example.com", record=noor))
    elif who == "staff":
        staff.let_in(client, staff.colleague("manager", is_superuser=True))
    return client


def _paths(routes, things, bad: str) -> set[str]:
    """Fill each route with real things, and once with something hostile in each place."""
    paths = set()
    for route in routes:
        if "(?P" in route or "(?:" in route or "<kind>" in route:
            continue
        names = [part.split(">")[0] for part in route.split("<")[1:]]
        for odd in (None, *names):
            path = route
            for name in names:
                value = bad if name == odd else things.get(name.split(":")[-1], "7")
                path = path.replace(f"<{name}>", quote(str(value), safe="", errors="replace"))
            paths.add("/" + path)
    return paths


def _server_errors(client: Client, paths, *, bad: str) -> dict[str, int]:
    form = {name: bad.encode(errors="replace").decode() for name in FIELDS}
    query = "&".join(f"{name}={quote(bad, errors='surrogatepass')}" for name in FIELDS)
    broken = {}
    for path in sorted(paths):
        # By themselves, too: a query that is refused for its cursor hides what else is in it.
        for address in (f"{path}?{query}", path):
            with _rolled_back():
                if client.get(address).status_code >= 500:
                    broken[f"GET {path}"] = bad[:20]
        if path in COUNTED:
            continue
        with _rolled_back():
            if client.post(path, form).status_code >= 500:
                broken[f"POST {path}"] = bad[:20]
    return broken


# Guesses are counted in transactions of their own, which cannot be within another.
COUNTED = {
    "/console/sign-in/": "anybody",
    "/console/sign-in/code/": "anybody",
    "/sign-in/code/": "anybody",
    "/console/codes/": "staff",
}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "who"), COUNTED.items())
def test_hostile_values_break_no_rate_limited_form(path, who, noor):
    client = _client_of(who, noor)
    for bad in HOSTILE:
        form = {name: bad.encode(errors="replace").decode() for name in FIELDS}
        for shown in (form, {**form, "email": "noor@example.com"}):
            assert client.post(path, shown).status_code < 500, ascii(bad)


@contextmanager
def _rolled_back():
    """Take back what a request did: one that broke must not break those after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Each breaks something else: the rest is tried in every form, below.
KINDS = (HOSTILE[1], HOSTILE[2], HOSTILE[3], HOSTILE[4], HOSTILE[7])


@pytest.mark.slow
@pytest.mark.parametrize("bad", KINDS, ids=lambda bad: ascii(bad)[:20])
def test_hostile_values_break_no_page(noor, places, bad):
    console = {f"console/{operation.split(' ', 1)[1]}" for operation in CONSOLE}
    pages = {
        "anybody": OPEN - {"sign-out/"} | {"console/sign-in/", "console/sign-in/code/"},
        "customer": OWN | {""},
        "staff": console - {"console/sign-out/"},
    }

    broken = {
        who: _server_errors(_client_of(who, noor), _paths(routes, places, bad), bad=bad)
        for who, routes in pages.items()
    }

    assert {who: addresses for who, addresses in broken.items() if addresses} == {}


@pytest.mark.slow
@pytest.mark.parametrize("bad", HOSTILE[1:2], ids=lambda bad: ascii(bad)[:20])
def test_hostile_values_break_no_admin_page(noor, places, bad):
    routes = {route for route in ADMIN if "delete" not in route and "logout" not in route}

    assert _server_errors(_client_of("staff", noor), _paths(routes, places, bad), bad=bad) == {}


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:20])
def test_hostile_value_in_one_field_breaks_no_form(noor, places, bad):
    """One hostile field among good ones: a form that is refused for one does not hide another."""
    forms = {
        "customer": {
            "/preferences/consent/": {
                "purpose": "offers",
                "answer": "yes",
                "notice": consent_helpers.NOTICE,
                "language": "en",
            },
            "/preferences/budget/": {"most": "2", "per": "week"},
            "/preferences/quiet-hours/": {"from": "20:00", "to": "08:00", "day": "1"},
            "/preferences/zone/": {"zone": "Europe/Amsterdam"},
            "/preferences/language/": {"language": "nl"},
            "/preferences/data-use/": {"purpose": "personalize", "answer": "no"},
            "/preferences/channels/": {"on": "email:*", "was": "sms:*"},
        },
        "staff": {
            "/console/switches/engage/": {"key": "*", "reason": "a mistake"},
            "/console/switches/release/": {"key": "*"},
            f"/console/tasks/{places['task_id']}/take/": {},
            f"/console/tasks/{places['task_id']}/finish/": {"outcome": "done", "note": "well"},
            f"/console/customers/{noor.id}/orders/A-1/cancel/": {"reason": "ill", "key": "k" * 20},
            "/admin/butler/pauseswitch/switch/": {
                "key": "*",
                "reason": "a mistake",
                "do": "engage",
            },
        },
    }
    broken = {}
    for who, theirs in forms.items():
        client = _client_of(who, noor)
        for path, good in theirs.items():
            for name in good:
                form = {**good, name: bad.encode(errors="replace").decode()}
                with _rolled_back():
                    if client.post(path, form).status_code >= 500:
                        broken[path] = name

    assert broken == {}


def test_line_breaks_in_names_inject_no_response_header(noor, places):
    address = ("email", "noor@example.com")
    for sign in ("\r\n", "\n", "\r", "\u2028", "\x85"):
        number = f"A{sign}Set-Cookie: x=1"
        properties = {"visit_date": "2031-01-01", "name": f"N{sign}X-Bad: 1"}
        factories.record(
            factories.incoming_event(
                address, name="Order Completed", about=f"order:{number}", properties=properties
            )
        )
        client = _client_of("", noor)
        user, _ = User.objects.get_or_create(email="noor@example.com", defaults={"record": noor})
        client.force_login(user)
        for path in ("", "calendar.ics", "code.svg"):
            answer = client.get(f"/orders/{quote(number, safe='')}/{path}")

            assert answer.status_code == 200, path
            assert "Set-Cookie" not in answer.headers
            for name, value in answer.headers.items():
                assert not {"\r", "\n"} & set(name + value)


def test_unknown_and_malformed_message_ids_are_not_found(noor):
    client = _client_of("customer", noor)
    for path in (f"/inbox/{uuid.uuid4()}/", "/inbox/x/"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("odd", ["A/1", "A/1/x", "../..", "?x=1#y", "%2F", "a b\n c", "."])
def test_order_with_odd_characters_in_its_number_opens_in_the_console(noor, odd):
    address, phone = ("email", "noor@example.com"), ("phone", "+46701740605")
    number, line = f"X{odd}", f"L{odd}"
    lines = [{"line_id": line, "name": "Day", "quantity": 1}]
    factories.record(
        factories.order(number, address, lines=lines, visit_date="2031-01-01"),
        factories.incoming_event(
            phone,
            name="Call Started",
            about=f"call:{odd}",
            properties={"direction": "in", "from": phone[1]},
            at=timezone.now(),
        ),
    )
    client = _client_of("staff", noor)
    order = f"/console/customers/{noor.pk}/orders/{quote(number, safe='')}/"

    for path in ("/console/", "/console/calls/", f"/console/customers/{noor.pk}/", order):
        assert client.get(path).status_code == 200, path
    cancelled = client.post(f"{order}lines/{quote(line, safe='')}/cancel/", {"key": "k"})
    assert cancelled.status_code == 302
