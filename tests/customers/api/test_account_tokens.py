"""A front end or a server reads for one account: what was said of it, and no more."""

import pytest
from django.utils import timezone

from customers.actions import erasure
from customers.actions.identity_secrets import add_identity_secret
from customers.actions.sources import add_key
from customers.models import AccessLogEntry, Identifier
from tests.customers.identity.company import WireSource
from tests.identity_tokens import sign
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX = "noor@mail.example.org"
CONFIRMED = {"email_verified": True}


@pytest.fixture
def shop() -> WireSource:
    """Return a shop with the account of Noor, whose mailbox it states, and orders of both."""
    shop = WireSource("Shop", "server", ids="shop")
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "OF-ACCOUNT", "noor")
    shop.order(3, "OF-MAILBOX", "", email=BOX)
    return shop


class Reader:
    """A client that reads for one account."""

    def __init__(self, **headers: str) -> None:
        self._client = WsgiClient(headers=headers)

    def get(self, path: str = "", where: str = "/api/me/"):
        return self._client.get(f"{where}{path}")

    def post(self, path: str, body: dict):
        return self._client.post(f"/api/me/{path}", body, content_type="application/json")

    def orders(self) -> set[str]:
        return {order["number"] for order in self.get("orders/").json()["results"]}


@pytest.fixture
def secret(shop) -> str:
    return add_identity_secret(source_id=shop.source.pk)


@pytest.fixture
def front_end(shop, secret) -> Reader:
    """Return the front end of Noor, with a token that the server of the shop signed."""
    return Reader(**{"X-Identity-Token": sign(shop.source, secret, "noor")})


@pytest.fixture
def server(shop) -> Reader:
    """Return the server of the shop with a key that reads for Noor."""
    key = add_key(source=shop.source, is_secret=True, scopes=["read-for"])
    return Reader(Authorization=f"Bearer {key}", **{"Butler-For": "noor"})


@pytest.mark.parametrize("who", ["front_end", "server"])
def test_account_opens_what_was_said_of_it_and_not_its_stated_mailbox(who, request):
    reader = request.getfixturevalue(who)

    record = reader.get().json()

    assert {order["number"] for order in record["orders"]} == {"OF-ACCOUNT"}
    assert reader.orders() == {"OF-ACCOUNT"}
    assert reader.get("orders/OF-MAILBOX/").status_code == 404
    assert "OF-MAILBOX" not in reader.get("timeline/").content.decode()
    refused = reader.get("consents/")
    assert (refused.status_code, refused.json()["type"].endswith("address-not-confirmed")) == (
        403,
        True,
    )


@pytest.mark.parametrize("who", ["front_end", "server"])
def test_confirmed_mailbox_opens_with_the_account(who, request, shop):
    shop.identify(4, "noor", email=BOX, **CONFIRMED)

    reader = request.getfixturevalue(who)

    assert reader.orders() == {"OF-ACCOUNT", "OF-MAILBOX"}
    assert reader.get("consents/").status_code == 200


def test_request_of_a_front_end_is_filed_on_its_account(front_end):
    placed = front_end.post("orders/", {"lines": [{"product": "Day ticket", "quantity": 1}]})

    assert placed.status_code == 201, placed.content
    assert placed.json()["number"] in front_end.orders()


def test_account_has_no_login(front_end):
    for path in ("sessions/", "accounts/"):
        assert front_end.get(path).status_code == 403


def test_account_opens_no_other_record(front_end, shop):
    shop.identify(5, "els", email="els@mail.example.org")
    els = Identifier.objects.get(value__endswith="/els").customer_id
    own = Identifier.objects.get(value__endswith="/noor").customer_id

    assert front_end.get(f"{els}/", "/api/customers/").status_code == 404
    assert front_end.get(f"{own}/", "/api/customers/").status_code == 200


def test_token_of_another_source_opens_its_own_number_alone(shop, secret):
    other = WireSource("Other", "server", ids="other")
    foreign = add_identity_secret(source_id=other.source.pk)

    unknown = Reader(**{"X-Identity-Token": sign(other.source, foreign, "noor")})
    forged = Reader(**{"X-Identity-Token": sign(shop.source, foreign, "noor")})

    assert unknown.get().status_code == 404
    assert forged.get().status_code == 401


@pytest.mark.parametrize("token", ["", " ", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJpc3MiOiIxIn0."])
def test_text_that_is_no_token_authenticates_nobody(token, shop):
    assert Reader(**{"X-Identity-Token": token}).get().status_code == 401


def test_number_that_is_an_address_opens_no_mailbox(shop, secret):
    reader = Reader(**{"X-Identity-Token": sign(shop.source, secret, BOX)})

    assert reader.get().status_code == 404


def test_erased_account_opens_nothing(front_end, shop):
    record = Identifier.objects.get(value__endswith="/noor").customer_id
    erasure.erase(customer_id=record, reason="asked", actor="staff:pia", now=timezone.now())

    assert front_end.get().status_code == 404


def test_server_needs_the_scope(shop):
    key = add_key(source=shop.source, is_secret=True, scopes=["read", "identify"])

    reader = Reader(Authorization=f"Bearer {key}", **{"Butler-For": "noor"})

    assert reader.get().status_code == 403


def test_key_that_reads_for_accounts_reads_no_record_without_one(shop):
    key = add_key(source=shop.source, is_secret=True, scopes=["read-for"])
    reader = Reader(Authorization=f"Bearer {key}")
    own = Identifier.objects.get(value__endswith="/noor").customer_id

    assert reader.get(f"{own}/", "/api/customers/").status_code == 403
    assert reader.get().status_code == 403


def test_server_only_reads_and_each_look_is_logged(server):
    assert server.post("orders/", {"lines": [{"product": "x", "quantity": 1}]}).status_code == 403

    server.get("timeline/")

    looks = AccessLogEntry.objects.filter(actor="source:Shop")
    assert set(looks.values_list("what", flat=True)) == {"timeline"}
