"""Point 4 of the acceptance list: Butler finds the key in each place that clients use."""

import pytest

from customers.models import Event, QuarantinedItem, SourceKey, SourceWarning
from tests.channels.wire_client import send, source, track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUCCESS = b'{"success": true}'


@pytest.mark.parametrize("place", ["body", "basic", "header", "bearer", "query"])
def test_a_key_is_found_wherever_clients_put_it(running, place):
    _, key = source()
    body = {"batch": [track()]} | ({"writeKey": key} if place == "body" else {})
    headers = {"header": {"X-Write-Key": key}, "bearer": {"Authorization": f"Bearer {key}"}}
    path = f"/v1/batch?writeKey={key}" if place == "query" else "/v1/batch"

    response = send(
        running.web, path, body, headers.get(place), key=key if place == "basic" else ""
    )

    assert response.counts == (1, 0, 0)


def test_a_token_that_is_no_key_gives_way_to_the_key_in_the_body(running):
    _, key = source()
    body = {"batch": [track()], "writeKey": key}

    response = send(running.web, "/v1/batch", body, {"Authorization": "Bearer eyJhbGciOiJIUzI1"})

    assert response.counts == (1, 0, 0)


BAD_KEYS = ["", "pk_unknown", "nonsense", "pk_" + "x" * 5000, "pk_é", 7, None, "pk_\x00", ["pk"]]


def test_event_without_a_valid_key_is_not_stored(running):
    for key in BAD_KEYS:
        response = send(running.web, "/v1/batch", {"batch": [track()], "writeKey": key})

        assert response.status == 401, key
        assert set(response.json) == {"code", "message"}
    assert not Event.objects.exists()
    assert not QuarantinedItem.objects.exists()


def test_malformed_authorization_causes_no_server_error(running):
    for authorization in (
        "Basic !!!",
        "Basic cGs=",
        "Basic w7w6",
        "Basic ",
        "Basic",
        "Digest x",
        "\xff",
    ):
        headers = {"Authorization": authorization}

        assert send(running.web, "/v1/batch", {"batch": []}, headers).status == 401, authorization


def test_a_revoked_key_is_refused_at_once(running):
    of, key = source()
    assert send(running.web, "/v1/batch", {"batch": [track()]}, key=key).status == 200

    SourceKey.objects.filter(source=of).update(revoked_at="2026-01-01T00:00:00Z")

    assert send(running.web, "/v1/batch", {"batch": [track()]}, key=key).status == 401


def test_a_key_without_the_right_to_send_is_forbidden(running):
    _, key = source(is_secret=True, scopes=["read"])

    response = send(running.web, "/v1/batch", {"batch": [track()]}, key=key)

    assert (response.status, response.json["code"]) == (403, "forbidden")


# A secret key in an address ----------------------------------------------------------

WAYS = [
    ("POST", "/v1/batch?writeKey={key}"),
    ("POST", "/v1/track?writeKey={key}"),
    ("POST", "/v1/events?writeKey={key}"),
    ("POST", "/v1/batch?x=1&apiKey={key}"),
    ("POST", "/beacon/v1/batch?writeKey={key}"),
    ("POST", "/v1/phone/calls?writeKey={key}"),
    ("POST", "/v1/store/scans?writeKey={key}"),
    ("POST", "/v1/store/batches?writeKey={key}"),
    ("GET", "/sourceConfig?writeKey={key}"),
    ("GET", "/v1/projects/{key}/settings"),
]


@pytest.mark.parametrize("place", ["address only", "address and header"])
@pytest.mark.parametrize(("method", "path"), WAYS)
def test_secret_key_in_an_address_is_refused_and_counted(running, method, path, place):
    of, key = source(is_secret=True)
    header_key = key if place == "address and header" else ""

    response = send(
        running.web,
        path.format(key=key),
        {"batch": [track()]},
        {"Origin": "https://shop.example"},
        method=method,
        key=header_key,
    )

    assert (response.status, response.json["code"]) == (403, "secret_key_in_url")
    assert "No event was stored" in response.json["message"]
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert not Event.objects.exists()
    warning = SourceWarning.objects.get(source=of)
    assert (warning.code, warning.count, warning.example) == ("secret_key_in_url", 1, "")


def test_escaped_secret_key_in_an_address_is_refused(running):
    _, key = source(is_secret=True)

    response = send(running.web, f"/v1/batch?writeKey=%73{key[1:]}", {"batch": [track()]})

    assert (response.status, response.json["code"]) == (403, "secret_key_in_url")


def test_unknown_and_revoked_secret_keys_in_an_address_are_unknown(running):
    of, key = source(is_secret=True)
    SourceKey.objects.filter(source=of).update(revoked_at="2026-01-01T00:00:00Z")

    for text in (key, "sk_" + "x" * 32, "sk_" + "x" * 5000):
        response = send(running.web, f"/v1/batch?writeKey={text}", {"batch": [track()]})

        assert (response.status, response.json["code"]) == (401, "unknown_key")
    assert not SourceWarning.objects.exists()
