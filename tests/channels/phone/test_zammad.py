"""Requests as Zammad's documentation describes them: forms, and several answers of one call."""

import pytest
from django.test.client import encode_multipart

from customers.models import Event, Interaction, QuarantinedItem
from tests import factories
from tests.channels.wire_client import source

pytestmark = pytest.mark.django_db

RINGING = {
    "event": "newCall",
    "from": "31612345678",
    "to": "31201234567",
    "direction": "in",
    "callId": "c1",
}
PATH = "/v1/phone/calls"
BOUNDARY = "------------------------d74496d66958873e"


@pytest.fixture
def key() -> str:
    return source(is_secret=True, channel="phone", region="NL")[1]


def post(client, key, body, content_type="application/json"):
    return client.post(
        PATH, body, content_type=content_type, headers={"authorization": f"Bearer {key}"}
    )


@pytest.mark.parametrize(
    "content_type", [f"multipart/form-data; boundary={BOUNDARY}", "text/plain"]
)
def test_multipart_form_is_a_call(client, key, content_type):
    noor = factories.customer(("phone", "+31612345678"), name="Noor")
    fields = RINGING | {"user[]": ["sam", "lin"]}

    response = post(client, key, encode_multipart(BOUNDARY, fields), content_type)

    assert (response.status_code, response.json()["status"]) == (200, "accepted")
    assert response.json()["customer"] == str(noor.id)
    assert Event.objects.get(name="Call Started").body["properties"]["from"] == "31612345678"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (f"--{BOUNDARY}\r\n".encode(), 400),
        (encode_multipart(BOUNDARY, {"event": "ring"}), 400),
        (encode_multipart(BOUNDARY, RINGING | {"cause": "x" * 70_000}), 413),
        (encode_multipart(BOUNDARY, {f"field{n}": "" for n in range(600)}), 400),
    ],
)
def test_invalid_multipart_form_is_refused(client, key, body, status):
    response = post(client, key, body)

    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}
    assert not Event.objects.exists()


def test_each_answer_and_hangup_of_a_transferred_call_is_stored(client, key):
    noor = factories.customer(("phone", "+31612345678"), name="Noor")
    steps = [
        RINGING,
        RINGING | {"event": "answer", "user": "sam"},
        RINGING | {"event": "hangup", "user": "sam", "cause": "forwarded"},
        RINGING | {"event": "answer", "user": "lin"},
        RINGING | {"event": "hangup", "user": "lin", "cause": "normalClearing"},
    ]

    statuses = [post(client, key, step).json()["status"] for step in [*steps, steps[3]]]

    assert statuses == [*["accepted"] * 5, "duplicate"]
    assert not QuarantinedItem.objects.exists()
    assert Event.objects.filter(about="call:c1").count() == 5
    call = Interaction.objects.get(customer=noor)
    assert (call.status, call.staff, call.details["cause"]) == ("ended", "lin", "normalClearing")
