"""The codes of tickets at the REST API: for their holder, staff and sources, and nobody else."""

import pytest

from customers.actions.sources import add_key
from customers.tickets import codes
from tests.customers.api.test_orders import ORDER
from tests.customers.identity.company import WireSource
from tests.identity_tokens import identity_secret, sign
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX = "noor@mail.example.org"


@pytest.fixture
def path(desk, noor) -> str:
    """Return the path of the tickets of an order of Noor, behind her record."""
    placed = desk.post(f"/api/customers/{noor[0].id}/orders/", ORDER)
    return f"orders/{placed.json()['number']}/tickets/"


def code(answer) -> str:
    [ticket] = answer.json()["tickets"]
    return ticket["code"]


def test_customer_and_desk_read_the_same_code(desk, noor, path):
    _, app = noor

    own, of_desk = app.get(f"/api/me/{path}"), desk.get(f"/api/customers/{noor[0].id}/{path}")

    assert code(own) == code(of_desk)
    assert codes.has_valid_check(codes.normalize(code(own)))


def test_replaced_code_is_another_one(noor, path):
    _, app = noor
    before = code(app.get(f"/api/me/{path}"))

    answer = app.post(f"/api/me/{path}", {})

    assert answer.status_code == 200
    assert code(answer) != before
    assert code(app.get(f"/api/me/{path}")) == code(answer)


def test_request_that_is_repeated_replaces_the_code_once(noor, path):
    _, app = noor

    first, second = (
        app.post(f"/api/me/{path}", {}, **{"Idempotency-Key": "once-and-only"}) for _ in range(2)
    )

    assert code(first) == code(second)


def test_customer_reads_and_replaces_no_code_of_another_customer(eli, noor, path):
    _, app = eli

    for where in ("/api/me/", f"/api/customers/{noor[0].id}/"):
        assert app.get(f"{where}{path}").status_code == 404
        assert app.post(f"{where}{path}", {}).status_code == 404


def test_guest_who_is_not_on_the_order_has_no_code_to_replace(noor, path):
    _, app = noor

    answer = app.post(f"/api/me/{path}", {"guest": "7"})

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "no-ticket")


# The order of an account -------------------------------------------------------------


@pytest.fixture
def shop() -> WireSource:
    shop = WireSource("Shop", "server", ids="shop")
    shop.identify(1, "noor", email=BOX)
    order = {"order_id": "OF-ACCOUNT", "visit_date": "2030-05-01"}
    shop.track(2, "noor", "Order Completed", properties=order)
    return shop


def test_address_that_only_opened_the_account_replaces_no_code_of_it(make_customer, shop):
    _, app = make_customer(BOX)
    before = code(app.get("/api/me/orders/OF-ACCOUNT/tickets/"))

    answer = app.post("/api/me/orders/OF-ACCOUNT/tickets/", {})

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (
        403,
        "address-not-confirmed",
    )
    assert code(app.get("/api/me/orders/OF-ACCOUNT/tickets/")) == before


def test_token_of_the_account_replaces_its_code(shop):
    token = sign(shop.source, identity_secret(shop.source), "noor")
    client = WsgiClient(headers={"X-Identity-Token": token})
    path = "/api/me/orders/OF-ACCOUNT/tickets/"
    before = code(client.get(path))

    answer = client.post(path, {}, content_type="application/json")

    assert answer.status_code == 200
    assert code(answer) != before


def test_server_that_only_reads_for_the_customer_sees_no_code(shop):
    key = add_key(source=shop.source, is_secret=True, scopes=["read-for"])
    client = WsgiClient(headers={"Authorization": f"Bearer {key}", "Butler-For": "noor"})

    assert client.get("/api/me/orders/OF-ACCOUNT/").status_code == 200
    assert client.get("/api/me/orders/OF-ACCOUNT/tickets/").status_code == 403
