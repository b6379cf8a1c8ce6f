"""The cast: the desk holds a secret key, Noor and Eli are customers, Lin and Kim are staff."""

import json
import re
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.test import Client

from customers.actions.sources import create_source
from customers.models import Identifier, User
from tests import factories
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import WireSource


class Caller:
    """A client of the API with its credentials."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(headers=headers, raise_request_exception=False)

    def get(self, path: str, query: dict | None = None, **headers: str):
        return self.client.get(path, query, headers=headers)

    def send(self, method: str, path: str, body: object = None, **headers: str):
        encoded_body = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, path, encoded_body, content_type="application/json", headers=headers
        )

    def post(self, path: str, body: object = None, **headers: str):
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object = None, **headers: str):
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str):
        return self.send("DELETE", path, None, **headers)


def key(*scopes: str, channel: str = "phone", name: str = "") -> Caller:
    _, text = create_source(
        name=name or f"source {uuid.uuid4()}",
        channel=channel,
        is_secret=True,
        scopes=scopes or ("ingest", "read", "identify"),
        region="NL",
    )
    return Caller(Authorization=f"Bearer {text}")


def session_of(user: User) -> str:
    """Open a session as signing in does, and return its key."""
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()
    return session.session_key


@pytest.fixture
def desk(db) -> Caller:
    """The phone desk's software, with every scope."""
    return key(name="call desk")


@pytest.fixture
def make_key(db):
    return key


@pytest.fixture
def make_customer(db):
    """Return a function that makes a customer with a proved address, and their login."""

    def make(email: str, **traits):
        customer = factories.customer(("email", email), **traits)
        record = Identifier.objects.get(kind="email", value=email, evidence=2).record
        user = User.objects.create_user(email, record=record)
        return customer, Caller(**{"X-Session-Token": session_of(user)})

    return make


@pytest.fixture
def noor(make_customer):
    """Noor's record, and her app."""
    return make_customer("noor@example.com", name="Noor")


@pytest.fixture
def eli(make_customer):
    return make_customer("eli@example.com", name="Eli")


@pytest.fixture
def make_staff(db):
    """Return a function that creates a staff member with these permissions."""

    def make(*permissions: str, name: str = "lin") -> Caller:
        user = User.objects.create_user(
            f"{name}-{uuid.uuid4()}@staff.example.com", "a long password", is_staff=True, name=name
        )
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return Caller(**{"X-Session-Token": session_of(user)})

    return make


@pytest.fixture
def lin(make_staff) -> Caller:
    """A staff member who decides which identifiers are one customer."""
    return make_staff(
        *("view_customer", "find_customer", "view_identifier", "view_review", "change_review"),
        *("view_source", "change_numberingquestion"),
    )


@pytest.fixture
def shop(db):
    """A shop whose numbers are the accounts of its customers."""
    return WireSource("Shop", "site", ids="shop")


@pytest.fixture
def account(shop):
    """The account of a customer of the shop, who has ordered."""
    shop.identify(1, "noor", email="noor@example.com", phone="+31612345678")
    shop.order(2, "A-1", "noor")
    yield shop.account("noor")
    assert misplaced_identifiers() == []


@pytest.fixture
def anybody() -> Caller:
    return Caller()


@pytest.fixture
def ask(anybody, unlimited_codes):
    """Return a function that asks for a code: the answer, and the code that came by mail."""

    def asking(email: str = "noor@example.com"):
        before = len(mail.outbox)
        answer = anybody.post("/api/sign-in/", {"email": email})
        sent = mail.outbox[before:]
        return answer, re.search(r"\d{6}", sent[0].body)[0] if sent else None

    return asking


@pytest.fixture
def sign_in_as(anybody, ask):
    """Return a function that signs a customer in and returns the headers of their app."""

    def signing_in(email: str = "noor@example.com") -> dict[str, str]:
        code_request, code = ask(email)
        proved = anybody.post(
            "/api/sign-in/", {"request": code_request.json()["request"], "code": code}
        )
        assert proved.status_code == 200, proved.content
        return {"X-Session-Token": proved.json()["session_token"]}

    return signing_in
