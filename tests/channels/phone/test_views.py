import hashlib
import json
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from customers.models import Customer, Event, Identifier, Interaction, QuarantinedItem
from tests import factories
from tests.channels.wire_client import send, source

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOORS = "+31612345678"
RINGING = {
    "event": "newCall",
    "from": "31612345678",
    "to": "31201234567",
    "direction": "in",
    "callId": "c1",
}
TOKEN = "auth-token-of-an-invented-account"


def desk(**facts):
    return source(is_secret=True, channel="phone", region="NL", **facts)


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_call_becomes_part_of_the_record(running, form):
    _, key = desk()
    noor = factories.customer(("phone", NOORS), ("user_id", "noor"), name="Noor")
    for step in ("newCall", "answer", "hangup"):
        fields = RINGING | {"event": step, "user": "sam"}
        body = urlencode(fields).encode() if form else fields

        response = send(running.web, "/v1/phone/calls", body, key=key)

        assert (response.status, response.json["status"]) == (200, "accepted")
        assert response.json["matches"] == "one"
        assert response.json["customer"] == str(noor.id)
        assert response.json["customers"][0]["name"] == "Noor"
    call = Interaction.objects.get(customer=noor)
    assert (call.reference, call.status, call.staff) == ("call:c1", "ended", "sam")
    assert call.answered_at
    assert call.ended_at


def test_the_number_may_be_written_as_at_home(running):
    _, key = desk()
    factories.customer(("phone", NOORS), name="Noor")

    response = send(running.web, "/v1/phone/calls", RINGING | {"from": "06 12345678"}, key=key)

    assert response.json["matches"] == "one"


def test_an_unknown_number_matches_nobody_and_is_kept(running):
    _, key = desk()

    response = send(running.web, "/v1/phone/calls", RINGING, key=key)

    assert (response.json["matches"], response.json["customers"]) == ("none", [])
    assert str(Event.objects.get().customer_id) == response.json["customer"]


def test_shared_number_matches_many_and_merges_no_records(running):
    _, key = desk()
    people = [
        factories.customer(("user_id", name), ("phone", NOORS), name=name)
        for name in ("Noor", "Bas")
    ]
    assert Identifier.objects.get(kind="phone").is_shared

    response = send(running.web, "/v1/phone/calls", RINGING, key=key)

    assert response.json["matches"] == "many"
    assert {match["name"] for match in response.json["customers"]} == {"Noor", "Bas"}
    assert all(Customer.objects.get(id=customer.id).canonical_id is None for customer in people)


def test_verified_match_excludes_claimed_ones(running):
    _, key = desk()
    factories.customer(("phone", NOORS), ("user_id", "noor"), name="Noor")
    stranger = factories.sender(trusted=False)
    factories.customer(("phone", NOORS), ("anonymous_id", "a9"), by=stranger, name="Mallory")

    response = send(running.web, "/v1/phone/calls", RINGING, key=key)

    assert [match["name"] for match in response.json["customers"]] == ["Noor"]


def test_repeated_call_event_is_stored_once(running):
    _, key = desk()

    responses = [send(running.web, "/v1/phone/calls/", RINGING, key=key) for _ in range(2)]

    assert [response.json["status"] for response in responses] == ["accepted", "duplicate"]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("number", ["anonymous", "+266696687", "101"])
def test_call_without_a_number_of_a_customer_is_stored_and_rings(running, number):
    _, key = desk()

    response = send(running.web, "/v1/phone/calls", RINGING | {"from": number}, key=key)

    assert (response.status, response.json["status"]) == (200, "accepted")
    assert response.json["matches"] == "none"
    assert Interaction.objects.get().status == "ringing"
    assert not QuarantinedItem.objects.exists()


def test_withheld_calls_of_two_sources_with_one_call_id_are_two_calls(running):
    keys = [desk(name=name)[1] for name in ("North desk", "South desk")]

    for key in keys:
        send(running.web, "/v1/phone/calls", RINGING | {"from": "anonymous"}, key=key)

    assert Interaction.objects.count() == 2


def test_second_call_from_an_unknown_number_matches_nobody(running):
    _, key = desk()
    send(running.web, "/v1/phone/calls", RINGING, key=key)

    response = send(running.web, "/v1/phone/calls", RINGING | {"callId": "c2"}, key=key)

    assert (response.json["matches"], response.json["customers"]) == ("none", [])


def test_plus_that_a_form_lost_is_read(running):
    _, key = desk()
    factories.customer(("phone", NOORS), name="Noor")
    body = b"event=newCall&from=+31612345678&to=+31201234567&direction=in&callId=c1"

    response = send(running.web, "/v1/phone/calls", body, key=key)

    assert response.json["matches"] == "one"


def test_only_a_secret_key_may_report_calls_and_only_a_reader_learns_who(running):
    _, public = source(channel="phone")
    _, writer = desk(scopes=["ingest", "identify"])
    factories.customer(("phone", NOORS), name="Noor")

    refused = send(running.web, "/v1/phone/calls", RINGING, key=public)
    response = send(running.web, "/v1/phone/calls", RINGING, key=writer)

    assert (refused.status, refused.json["code"]) == (403, "secret_key_needed")
    assert (response.status, response.json["customers"]) == (200, [])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"event=ring", b"event=newCall", b"\xff\xfe", b"a=1&" * 5000]
)
def test_invalid_call_is_answered_with_code_and_message(running, body):
    _, key = desk()

    response = send(running.web, "/v1/phone/calls", body, key=key)

    assert response.status == 400
    assert set(response.json) == {"code", "message"}


# Twilio ------------------------------------------------------------------------------

VOICE = {
    "CallSid": "CA1",
    "From": NOORS,
    "To": "+31201234567",
    "Direction": "inbound",
    "CallStatus": "ringing",
}


def switchboard(tokens: list[str]) -> None:
    of, _ = desk(name="Switchboard")
    of.webhook_secrets = tokens
    of.save()


def signed(address: str, fields: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    signature = RequestValidator(token).compute_signature(address, fields)
    return {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_a_voice_webhook_with_a_signed_form_is_taken(running):
    switchboard([TOKEN])
    path = "/v1/phone/twilio/Switchboard?dial=%2B31201234567"
    headers = signed(running.web + path, VOICE)

    response = send(running.web, path, urlencode(VOICE).encode(), headers)

    assert response.status == 200
    assert response.headers["content-type"] == "text/xml"
    assert b"<Response><Dial>+31201234567</Dial></Response>" in response.body
    stored = Event.objects.get()
    assert (stored.name, stored.about, stored.evidence) == ("Call Started", "call:CA1", 2)


def test_a_webhook_with_a_signed_json_body_is_taken(running):
    switchboard([TOKEN])
    body = json.dumps(VOICE | {"CallStatus": "completed", "CallDuration": "61"}).encode()
    path = f"/v1/phone/twilio/Switchboard?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = signed(running.web + path, {})

    response = send(running.web, path, body, headers)

    assert (response.status, response.body.count(b"Dial")) == (200, 0)
    assert Event.objects.get().name == "Call Ended"


def test_two_tokens_count_while_they_are_changed(running):
    switchboard(["new", TOKEN])
    path = "/v1/phone/twilio/Switchboard"

    response = send(running.web, path, urlencode(VOICE).encode(), signed(running.web + path, VOICE))

    assert response.status == 200


@pytest.mark.parametrize(
    "spoil",
    ["token", "field", "address", "no-signature", "json-digest"],
)
def test_voice_webhook_with_a_wrong_signature_is_refused(running, spoil):
    switchboard([TOKEN])
    path = "/v1/phone/twilio/Switchboard"
    headers = signed(running.web + path, VOICE, "another" if spoil == "token" else TOKEN)
    body = urlencode(VOICE | ({"From": "+46701234567"} if spoil == "field" else {})).encode()
    if spoil == "address":
        path += "?dial=%2B46701234567"
    if spoil == "no-signature":
        del headers["X-Twilio-Signature"]
    if spoil == "json-digest":
        path += "?bodySHA256=" + "0" * 64
        headers = signed(running.web + path, {})

    response = send(running.web, path, body, headers)

    assert (response.status, response.json["code"]) == (401, "wrong_signature")
    assert not Event.objects.exists()


def test_a_source_without_a_token_takes_nothing(running):
    desk(name="Switchboard")
    path = "/v1/phone/twilio/Switchboard"

    for endpoint in (path, "/v1/phone/twilio/nobody", "/v1/phone/twilio/%00"):
        response = send(
            running.web,
            endpoint,
            urlencode(VOICE).encode(),
            signed(running.web + endpoint, VOICE, ""),
        )

        assert (response.status, response.json["code"]) == (404, "unknown_source")
