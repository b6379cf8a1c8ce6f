"""Points 2, 3 and 5 of the acceptance list: content types, encodings and sizes of bodies."""

import gzip
import json

import pytest

from customers.models import Event
from tests.channels.wire_client import send, send_raw, source, track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUCCESS = b'{"success": true}'


# 2. Content types --------------------------------------------------------------------


CONTENT_TYPES = [
    "application/json",
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "nonsense",
    "",
]


def test_any_content_type_is_json(running):
    _, key = source()
    for content_type in CONTENT_TYPES:
        headers = {"Content-Type": content_type} if content_type else {}

        response = send(running.web, "/v1/b", {"batch": [track()], "writeKey": key}, headers)

        assert (response.status, response.counts) == (200, (1, 0, 0)), content_type


# 3. Encodings ------------------------------------------------------------------------


def test_gzip_is_unpacked_whatever_the_headers_say(running):
    _, key = source()
    for headers in ({"Content-Encoding": "gzip"}, {}):
        packed = gzip.compress(json.dumps({"batch": [track()], "writeKey": key}).encode())

        assert send(running.web, "/v1/batch", packed, headers).counts == (1, 0, 0)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
@pytest.mark.parametrize("lead", ["", " \r\n"])
def test_plain_body_with_a_gzip_header_is_stored(running, encoding, lead):
    _, key = source()
    body = lead + json.dumps({"batch": [track()], "writeKey": key})

    response = send(running.web, "/v1/batch", body.encode(), {"Content-Encoding": encoding})

    assert (response.status, response.counts) == (200, (1, 0, 0))


def test_plain_list_of_cloudevents_with_a_gzip_header_is_stored(running):
    _, key = source()
    cloud = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "Ride Entered"}
    events = [cloud | {"subject": "user_id:guest-1"}]

    response = send(running.web, "/v1/events", events, {"Content-Encoding": "gzip"}, key=key)

    assert (response.status, response.counts) == (200, (1, 0, 0))


@pytest.mark.parametrize("body", [b"", b"nonsense", b'"text"', b"\x1f{}"])
def test_gzip_header_without_gzip_or_json_is_refused_with_the_reason(running, body):
    response = send(running.web, "/v1/batch", body, {"Content-Encoding": "gzip"})

    assert (response.status, response.json["code"]) == (400, "bad_gzip")


def test_a_gzip_bomb_is_too_large(running):
    bomb = gzip.compress(b" " * 60_000_000, compresslevel=9)

    response = send(running.web, "/v1/batch", bomb, {"Content-Encoding": "gzip"})

    assert (response.status, response.json["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        pytest.param(b"\x1f\x8bnot gzip", "gzip", 400, id="not-gzip"),
        pytest.param(gzip.compress(b'{"batch":[]}')[:-9], "gzip", 400, id="cut-off"),
        pytest.param(b"{}", "deflate", 415, id="deflate"),
        pytest.param(b"{}", "br", 415, id="brotli"),
    ],
)
def test_body_that_cannot_be_decompressed_is_refused(running, body, encoding, status):
    response = send(running.web, "/v1/batch", body, {"Content-Encoding": encoding})

    assert response.status == status
    assert set(response.json) == {"code", "message"}


def test_members_of_gzip_are_counted(running):
    """zlib copies the rest of the body for each member, so Butler unpacks a few members only."""
    body = gzip.compress(b"") * 200_000

    response = send(running.web, "/v1/batch", body, {"Content-Encoding": "gzip"})

    assert (response.status, response.json["code"]) == (400, "bad_gzip")
    assert response.json["message"] == "The gzip data has more than 16 members."


def test_chunked_gzip_as_phones_send_it(running):
    _, key = source()
    body = gzip.compress(json.dumps({"batch": [track(), track()], "writeKey": key}).encode())
    chunks = [body[i : i + 50] for i in range(0, len(body), 50)]
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"

    response = send_raw(
        running.web,
        b"POST /v1/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + wire,
    )

    assert response.startswith(b"HTTP/1.1 200")
    assert response.endswith(SUCCESS)
    assert Event.objects.count() == 2


def test_truncated_body_stores_nothing(running):
    _, key = source()
    response = send_raw(
        running.web,
        b"POST /v1/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"X-Write-Key: %b\r\n"
        b'Content-Length: 5000\r\n\r\n{"batch":[{"type"' % key.encode(),
        half_close=True,
    )

    assert response == b"" or response.startswith(b"HTTP/1.1 400")
    assert Event.objects.count() == 0


# 5. and 6. Sizes ---------------------------------------------------------------------


def test_a_request_of_more_than_a_megabyte_is_taken(running):
    _, key = source()
    events = [track(properties={"text": "x" * 30_000}) for _ in range(50)]

    response = send(running.web, "/v1/batch", {"batch": events, "writeKey": key})

    assert response.counts == (50, 0, 0)


def test_one_large_event_is_stored_whole_with_a_warning(running):
    _, key = source(is_secret=True)
    large = track(properties={"text": "x" * 100_000})

    response = send(running.web, "/v1/batch", {"batch": [track(), large], "writeKey": key})

    assert response.counts == (2, 0, 0)
    assert response.headers["butler-warnings"] == "large_event;count=1"
    stored = Event.objects.get(message_id=large["messageId"])
    assert stored.body == large


def test_too_many_bytes_or_events_are_refused(running):
    _, key = source()

    large = send(running.web, "/v1/batch", b" " * 5_000_000)
    many = send(running.web, "/v1/batch", {"batch": [{}] * 2501, "writeKey": key})

    assert (large.status, large.json["code"]) == (413, "too_large")
    assert (many.status, many.json["code"]) == (413, "too_many_events")
