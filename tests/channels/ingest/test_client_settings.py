"""The settings that clients ask for, and the addresses of RudderStack's client for browsers."""

import pytest

from customers.models import Event
from tests.channels.wire_client import send, source, track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ORIGIN = "https://park.example"


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
@pytest.mark.parametrize("place", ["header", "query"])
def test_rudderstack_client_learns_that_it_has_no_other_destination(running, path, place):
    of, key = source()
    query = f"?p=npm&v=3.34.1&writeKey={key}" if place == "query" else ""

    response = send(
        running.web, f"{path}{query}", method="GET", key=key if place == "header" else ""
    )

    assert response.status == 200
    settings = response.json["source"]
    assert (settings["id"], settings["enabled"], settings["destinations"]) == (str(of.pk), True, [])
    statistics = settings["config"]["statsCollection"]
    assert [part["enabled"] for part in statistics.values()] == [False, False]


def test_source_config_with_an_unknown_key_is_refused_and_readable_by_the_page(running):
    path = "/sourceConfig/?writeKey=pk_unknown"

    response = send(running.web, path, None, {"Origin": ORIGIN}, method="GET")

    assert (response.status, response.json["code"]) == (401, "unknown_key")
    assert response.headers["access-control-allow-origin"] == ORIGIN


def test_source_config_answers_head_for_the_check_of_ad_blockers(running):
    _, key = source()

    response = send(running.web, "/sourceConfig/?view=ad", method="HEAD", key=key)

    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("path", ["/beacon/v1/batch", "/beacon/v1/batch/"])
def test_beacon_with_the_key_in_its_address_is_stored(running, path):
    _, key = source()
    body = {"batch": [track(), track()], "sentAt": "2026-11-20T10:00:00.000Z"}

    response = send(running.web, f"{path}?writeKey={key}", body, {"Content-Type": "text/plain"})

    assert (response.status, response.counts) == (200, (2, 0, 0))
    assert Event.objects.count() == 2


@pytest.mark.parametrize("path", ["/beacon/v1/nothing", "/sourceConfigs", "/beacon/v1/"])
def test_unknown_path_of_a_client_answers_in_the_shape_of_the_wire(running, path):
    response = send(running.web, path, {}, {"Origin": ORIGIN})

    assert response.status == 404
    assert set(response.json) == {"code", "message"}
    assert response.headers["access-control-allow-origin"] == ORIGIN


PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize("path", ["/v1/track", "/sourceConfig/", "/beacon/v1/batch"])
def test_preflight_allows_the_headers_of_the_client(running, path):
    names = "anonymousid,authorization,content-type,sentat,rsa-retry-attempt"

    response = send(
        running.web,
        path,
        None,
        PREFLIGHT | {"Access-Control-Request-Headers": names},
        method="OPTIONS",
    )

    allowed = response.headers["access-control-allow-headers"].replace(" ", "").split(",")
    assert response.status == 204
    assert set(names.split(",")) <= set(allowed)
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("names", ["a b", "x-\u00e9", "x:y", "x" * 2000, ",", ", x"])
def test_preflight_does_not_repeat_what_is_no_list_of_headers(running, names):
    headers = PREFLIGHT | {"Access-Control-Request-Headers": names}

    response = send(running.web, "/v1/track", None, headers, method="OPTIONS")

    assert response.status == 204
    assert not response.headers["access-control-allow-headers"].endswith(names)
