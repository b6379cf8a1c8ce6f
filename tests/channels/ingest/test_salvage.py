"""Bodies that were cut, joined or damaged in one place keep the events that are whole."""

import json

import pytest

from channels.ingest import batches
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import till_batches
from customers.actions.sources import create_source
from customers.models import Event, QuarantinedItem


def event(number: int) -> str:
    properties = {"products": [{"sku": "a"}, {"sku": "b"}], "note": "a , } ] { b"}
    return json.dumps(
        {"type": "track", "messageId": f"m-{number}", "userId": "noor", "event": "Ride Entered"}
        | {"properties": properties}
    )


A, B, C = map(event, (1, 2, 3))
HEAD, END = '{"batch":[', '],"sentAt":"2027-05-01T10:00:00Z","writeKey":"pk_1"}'
WHOLE = f"{HEAD}{A},{B}{END}"

# The body, and the numbers of the events that it holds whole.
DAMAGED = {
    "lost comma between events": (f"{HEAD}{A}{B},{C}{END}", {1, 2, 3}),
    "two bodies in one": (WHOLE + f"{HEAD}{C}{END}", {1, 2, 3}),
    "text after the end": (WHOLE + ',"sentAt":"2027', {1, 2}),
    "lost head": (f'"properties":{{}}}},{B},{C}{END}', {2, 3}),
    "lost head and comma first": (f",{A},{B}{END}", {1, 2}),
    "first event half written": (f"{HEAD}{A[:40]}{B},{C}{END}", {2, 3}),
    "last event cut off": (f"{HEAD}{A},{B},{C[:60]}", {1, 2}),
    "cut off between events": (f"{HEAD}{A},{B},", {1, 2}),
    "stray bracket": (f"{HEAD}{A}}},{B},{C}{END}", {1, 2, 3}),
    "string that does not end": (f'{HEAD}{A},{{"type":"track","event":"Ri,{B},{C}{END}', {1, 2, 3}),
    "zeros after the end": (WHOLE + "\\0" * 40, {1, 2}),
    "zeros before the head": ("\\0" * 40 + WHOLE, {1, 2}),
    "zeros between events": (f"{HEAD}{A},\\0\\0\\0,{B}{END}", {1, 2}),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_in_one_place_costs_no_whole_event(case):
    body, whole = DAMAGED[case]

    batch = batches.parse_batch(body.replace("\\0", "\0").encode())

    assert {number for number in (1, 2, 3) if event(number).encode() in batch.raw_events} == whole


def test_fields_of_the_envelope_are_read_around_the_damage():
    batch = batches.parse_batch(f"{HEAD}{A}}},{B}{END}".encode())

    assert (batch.sent_at, batch.write_key) == ("2027-05-01T10:00:00Z", "pk_1")


@pytest.mark.parametrize(
    "body", ["", "{", "[1,2", '{"batch":', "nonsense", '{"batch":[1,2}', '{"batch":{}}', "\x00\x00"]
)
def test_body_without_a_whole_event_is_refused(body):
    with pytest.raises(InvalidBatch):
        batches.parse_batch(body.encode())


@pytest.mark.parametrize("body", [f"[{A}]", f'{{"events":[{A}]}}', f'{{"batch":[{A}],"batch":[]}}'])
def test_valid_json_of_another_shape_is_refused(body):
    with pytest.raises(InvalidBatch):
        batches.parse_batch(body.encode())


@pytest.mark.django_db
def test_damaged_piece_is_quarantined_beside_its_stored_neighbors(client):
    _, key = create_source(name="app", channel="app", is_secret=True)

    response = client.post(
        "/v1/batch",
        f"{HEAD}{A},{B[:50]}{C}{END}",
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )

    assert response.status_code == 200
    assert set(Event.objects.values_list("message_id", flat=True)) >= {"m-1", "m-3"}
    assert bytes(QuarantinedItem.objects.get().raw) == B[:50].encode()


def test_cut_list_of_cloud_events_keeps_the_whole_ones():
    whole = '{"specversion":"1.0","id":"1","source":"/a","type":"Ride Entered","subject":"user:n"}'

    assert batches.parse_list(f"[{whole},{whole[:30]}".encode()) == [
        whole.encode(),
        whole[:30].encode(),
    ]


def test_cut_batch_of_a_till_keeps_the_whole_lines():
    body = b'{"device":"till-1","sequence":4,"lines":[{"id":"q1","card":"01"},{"id":"q2","card":"02'

    batch = till_batches.parse_batch(body)

    assert (batch.device, batch.sequence) == ("till-1", 4)
    assert batch.raw_scans == [b'{"id":"q1","card":"01"}', b'{"id":"q2","card":"02']
