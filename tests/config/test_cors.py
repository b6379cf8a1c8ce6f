"""CORS of the REST API: pages of listed origins may call it, with a session token."""

import pytest
from django.conf import settings as configured

from config.api_handler import MIDDLEWARE
from customers.actions.sources import create_source
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"
REFUSED = [
    "https://evil.example.org",
    "http://shop.example.com",
    "https://shop.example.com:8443",
    "https://shop.example.com.evil.example.org",
    "https://shop.example.com/",
    "null",
    "*",
]


@pytest.fixture(autouse=True)
def _listed_origin(settings):
    settings.BUTLER_API_ORIGINS = frozenset({SHOP})


def preflight(path: str, origin: str, method: str = "POST"):
    return WsgiClient().options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": "content-type,x-session-token",
        },
    )


def cors_headers(response) -> set[str]:
    return {name for name in response.headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize(
    "path", ["/api/sign-in/", "/api/me/", "/api/me/orders/1001/", "/api/nothing/"]
)
def test_preflight_of_a_listed_origin_permits_methods_and_the_session_token(path):
    response = preflight(path, SHOP, "PATCH")

    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert "PATCH" in response["Access-Control-Allow-Methods"]
    allowed = response["Access-Control-Allow-Headers"].split(", ")
    assert {"content-type", "x-session-token", "x-identity-token", "if-match"} <= set(allowed)
    assert "authorization" not in allowed
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize("origin", REFUSED)
def test_preflight_of_another_origin_gets_no_permission(origin):
    response = preflight("/api/sign-in/", origin)

    assert response.status_code == 405
    assert cors_headers(response) == set()
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize("origin", REFUSED)
def test_response_to_another_origin_is_not_readable(origin):
    response = WsgiClient().get("/api/me/", headers={"origin": origin})

    assert cors_headers(response) == set()
    assert "Origin" in response["Vary"]


def test_response_without_an_origin_varies_by_origin():
    response = WsgiClient().get("/api/me/")

    assert cors_headers(response) == set()
    assert "Origin" in response["Vary"]


def test_refusal_is_readable_by_a_listed_origin():
    response = WsgiClient().get("/api/me/", headers={"origin": SHOP})

    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert "Retry-After" in response["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response


def test_response_to_a_key_has_the_same_headers():
    _, key = create_source(name="shop", channel="app", is_secret=True)
    headers = {"authorization": f"Bearer {key}"}

    listed = WsgiClient().get("/api/nothing/", headers=headers | {"origin": SHOP})
    other = WsgiClient().get("/api/nothing/", headers=headers | {"origin": REFUSED[0]})

    assert listed["Access-Control-Allow-Origin"] == SHOP
    assert cors_headers(other) == set()
    assert "Origin" in other["Vary"]


def test_cookie_does_not_make_a_response_readable_with_credentials(client, django_user_model):
    user = django_user_model.objects.create(email="noor@example.com")
    client.force_login(user)

    response = client.get("/api/me/sessions/", headers={"origin": SHOP})

    assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/console/", "/_allauth/app/v1/config"])
def test_paths_outside_the_api_have_no_cors(path):
    response = WsgiClient().get(path, headers={"origin": SHOP})

    assert cors_headers(response) == set()


def test_both_handlers_have_cors_outside_the_answer_without_a_database():
    for chain in (MIDDLEWARE, configured.MIDDLEWARE):
        names = list(chain)
        cors = names.index("config.cors.ApiCorsMiddleware")
        assert cors < names.index("config.errors.DatabaseUnavailableMiddleware")
