"""Each route is in exactly one table, which names its readers and the clients that may post to it.

A route in no table or in two tables fails the test, so that no route is public by accident.
"""

import re
import uuid

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from customers.models import User
from tests import factories, staff
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.config.test_access import TABLE as API

# Public routes without personal data.
OPEN = {
    "",
    "clock/",
    "sign-in/",
    "sign-in/code/",
    "sign-in/passkey/",
    "sign-in/passkey/options/",
    "language/",
    "sign-out/",
    ".well-known/butler-receipt-keys.json",
    "_allauth/app/v1/config",
    "_allauth/app/v1/auth/session",
    "_allauth/app/v1/auth/code/request",
    "_allauth/app/v1/auth/code/confirm",
    "_allauth/browser/v1/config",
    "_allauth/browser/v1/auth/session",
    "_allauth/browser/v1/auth/code/request",
    "_allauth/browser/v1/auth/code/confirm",
    "^(?:api|live|_allauth)/",
}
# Routes of a signed-in customer, about their own record.
OWN = {
    "orders/",
    "orders/<number:number>/calendar.ics",
    "orders/<number:number>/code.svg",
    "orders/<number:number>/codes/change/",
    "orders/<number:number>/",
    "inbox/",
    "inbox/<uuid:message_id>/",
    "inbox/<uuid:message_id>/read/",
    "preferences/",
    "preferences/<slug:name>/",
    "receipts/",
    "receipts/ledger.json",
    "receipts/<uuid:entry_id>/",
    "why/",
    "why/access-log/",
    "records/<int:merge_id>/separate/",
    "accounts/",
    "addresses/",
}
# Routes that require a key or a signature, or the link of a message.
KEY = {
    "v1/phone/^calls/?$",
    "v1/store/^scans/?$",
    "v1/store/^batches/?$",
    "v1/^(?:batch|b|import)/?$",
    "v1/^<kind>/?$",
    "v1/^events/?$",
    # Swallow what libraries of others send of themselves, and give them what they ask for.
    "v1/^m/?$",
    "v1/^projects/(?P<key>[^/]+)/settings/?$",
    "v1/^",
    "^beacon/v1/batch/?$",
    "^sourceConfig/?$",
    "^(?:beacon/v1/|sourceConfig)",
}
SIGNED = {
    "v1/phone/^twilio/(?P<source>[^/]+)/?$",
    "^v1/email/reports/?$",
    "v1/sms/^inbound/?$",
    "v1/sms/^status/?$",
    "v1/webhooks/^(?P<source>[^/]+)/?$",
    "^u/(?P<token>[^/]+)/?$",
    "^n/(?P<token>[^/]+)/?$",
    "addresses/freeze/<str:token>/",
}
# For developers alone: not there without DEBUG.
DEVELOPMENT = {"dev/outbox/", "dev/outbox.json", "demo/look-as-noor/", "demo/<slug:name>/"}
_ADMIN = {
    "",
    "search/",
    "login/",
    "logout/",
    "password_change/",
    "password_change/done/",
    "autocomplete/",
    "jsi18n/",
    "r/<path:content_type_id>/<path:object_id>/",
    "customers/user/<id>/password/",
    "butler/automationversion/<int:pk>/step/",
    "butler/automationversion/<int:pk>/mail/<str:place>/<slug:language>/",
    "butler/pauseswitch/switch/",
    "(?P<url>.*)$",
}
# All models that /admin/ shows.
MODELS = {
    "auth/group",
    "mfa/authenticator",
    "customers/user",
    "customers/source",
    "customers/customer",
    "customers/blockedvalue",
    "customers/merge",
    "customers/review",
    "customers/quarantineditem",
    "butler/automation",
    "butler/automationversion",
    "butler/pauseswitch",
    "butler/run",
    "butler/message",
    "butler/delivery",
    "butler/providerlimit",
    "butler/decision",
    "butler/topicstatus",
}
_OBJECT = (
    "",
    "add/",
    *(f"<path:object_id>/{end}" for end in ("", "history/", "delete/", "change/")),
)
ADMIN = {f"admin/{route}" for route in _ADMIN} | {
    f"admin/{model}/{end}" for model in MODELS for end in _OBJECT
}
TABLES = {
    "api": {operation.split(" ", 1)[1] for operation in API},
    "console": {f"console/{operation.split(' ', 1)[1]}" for operation in CONSOLE},
    "open": OPEN,
    "own": OWN,
    "key": KEY,
    "signed": SIGNED,
    "development": DEVELOPMENT,
    "admin": ADMIN,
}


def _walk(resolver: URLResolver | None = None, prefix: str = ""):
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, route)
        elif isinstance(pattern, URLPattern) and "(?P<app_label>" not in route:
            # The kinds of calls are spelled out in an order of their own at every start.
            yield re.sub(r"\(\?P<kind>[^)]*\)", "<kind>", route), pattern.callback


def test_every_route_is_in_exactly_one_table():
    routes = {route.replace("admin/^", "admin/") for route, _ in _walk()}
    missing = {name: table - routes for name, table in TABLES.items() if table - routes}
    owners = {route: [name for name in TABLES if route in TABLES[name]] for route in routes}

    assert {route: names for route, names in owners.items() if len(names) != 1} == {}
    assert missing == {}
    assert {model._meta.label_lower.replace(".", "/") for model in admin.site._registry} == MODELS


# Clients of these routes send no cookie, so another site cannot abuse one.
EXEMPT = KEY | SIGNED | {"^(?:api|live|_allauth)/"}


def test_only_routes_without_cookies_are_exempt_from_csrf():
    exempt = {route for route, view in _walk() if getattr(view, "csrf_exempt", False)}
    # These look at the cookie themselves, and at its token with it (CookieAuthentication).
    exempt = {route for route in exempt if not route.startswith("api/")}
    # An app shows its session in a header, which no other site can write.
    exempt = {route for route in exempt if not route.startswith("_allauth/app/")}

    assert exempt == EXEMPT


FILLED = {
    "uuid": str(uuid.UUID(int=7)),
    "int": "7",
    "slug": "consent",
    "str": "x",
    "number": "x",
    "path": "7",
}


def _path(route: str) -> str:
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda kind: FILLED[kind[1] or "path"], route)
    return "/" + route.replace("(?P<url>.*)$", "nothing")


def _posted() -> list[str]:
    cookied = OPEN | OWN | DEVELOPMENT | TABLES["console"] | ADMIN
    routes = {route for route in cookied if route not in EXEMPT}
    return sorted(route for route in routes if not route.startswith("_allauth/app/"))


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["customer", "staff", "stranger"])
def test_post_from_another_site_is_refused_on_every_route(who, settings, tmp_path):
    settings.BUTLER_HOME, settings.DEBUG = tmp_path, True
    client = Client(enforce_csrf_checks=True)
    if who == "customer":
        noor = factories.customer(("email", "noor@example.com"))
        client.force_login(User.objects.create_user("noor@example.com", record=noor))
    if who == "staff":
        staff.let_in(client, staff.colleague("manager", is_superuser=True))

    answers = {
        route: client.post(_path(route), {"answer": "yes"}, headers={"origin": "https://evil.test"})
        for route in _posted()
    }

    # 403: refused. 405: takes no posts. 404, 302: not there, or not for this visitor.
    let_in = {
        route: answer.status_code for route, answer in answers.items() if answer.status_code < 300
    }
    assert let_in == {}
    assert all(answer.status_code in (302, 403, 404, 405) for answer in answers.values())
    if who == "staff":
        moved = {route for route, answer in answers.items() if answer.status_code == 302}
        assert moved <= {"admin/(?P<url>.*)$"}


@pytest.mark.django_db
def test_api_refuses_a_cookie_without_csrf_token(client):
    noor = factories.customer(("email", "noor@example.com"))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_user("noor@example.com", record=noor))

    for operation in API:
        method, route = operation.split(" ", 1)
        if method != "GET" and route.startswith("api/me/"):
            answer = strict.generic(method, _path(route), "{}", content_type="application/json")
            assert answer.status_code == 403, operation


@pytest.mark.django_db
def test_development_routes_are_missing_without_debug(client, settings):
    settings.DEBUG = False

    for route in DEVELOPMENT:
        for method in ("GET", "POST"):
            assert client.generic(method, _path(route)).status_code in (404, 405), route
