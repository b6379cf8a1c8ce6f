"""Requests that no client of ours sends: NUL in cookies and paths, and limits of many digits."""

import pytest

from customers.actions.sources import create_source
from tests import factories
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-in/",
        "/preferences/",
        "/console/",
        "/admin/login/",
        "/u/x/",
        "/api/me/",
        "/_allauth/browser/v1/auth/session",
    ],
)
@pytest.mark.parametrize(
    "key", ['"\\000abcdefgh12345678901234567890123"', "\u00e4" * 32, "a b" * 11]
)
def test_session_cookie_that_no_session_can_have_is_no_session(path, key):
    client = WsgiClient()

    response = client.get(path, HTTP_COOKIE=f"sessionid={key}")
    without = WsgiClient().get(path)

    assert response.status_code == without.status_code < 500


@pytest.fixture
def desk():
    _, key = create_source(
        name="desk", channel="phone", is_secret=True, scopes=("ingest", "read", "identify")
    )
    return WsgiClient(headers={"authorization": f"Bearer {key}"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "orders/%00/"),
        ("get", "orders/%00/history/"),
        ("post", "orders/%00/cancel/"),
        ("delete", "party/%00/"),
    ],
)
def test_nul_in_a_path_of_a_record_is_not_found(desk, method, path):
    noor = factories.customer(("email", "noor@example.com"))

    response = getattr(desk, method)(f"/api/customers/{noor.id}/{path}")

    assert response.status_code == 404


@pytest.mark.parametrize("path", ["/api/topics/%00/", "/orders/%00/", "/console/customers/%00/"])
def test_nul_in_a_path_is_not_found(desk, path):
    assert desk.get(path).status_code == 404


@pytest.mark.parametrize(
    "limit", ["000001999999999999999999999999999999", "000100999999", "9" * 4500, "0", "²"]
)
def test_limit_outside_its_range_is_refused_whatever_its_length(desk, limit):
    assert desk.get(f"/api/customers/?limit={limit}").status_code == 400
    assert desk.get("/api/customers/?limit=000100").status_code == 200
