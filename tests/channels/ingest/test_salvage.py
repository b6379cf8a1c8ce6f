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

# The body, the numbers of the events that are kept, and how many damaged pieces there are.
DAMAGED = {
    "lost comma between events": (f"{HEAD}{A}{B},{C}{END}", {1, 2, 3}, 0),
    "two bodies in one": (WHOLE + f"{HEAD}{C}{END}", {1, 2, 3}, 0),
    "second body with another key": (WHOLE + f"{HEAD}{C}{END}".replace("pk_1", "pk_2"), {1, 2}, 1),
    "second body that is cut off": (WHOLE + f"{HEAD}{C}", {1, 2}, 1),
    "text after the end": (WHOLE + ',"sentAt":"2027', {1, 2}, 1),
    "last event cut off": (f"{HEAD}{A},{B},{C[:60]}", {1, 2}, 1),
    "last event cut off behind a list": (f'{HEAD}{A},{{"type":"track","products":[', {1}, 1),
    "cut off between events": (f"{HEAD}{A},{B},", {1, 2}, 0),
    "event in the middle half written": (f"{HEAD}{A},{B[:40]},{C}{END}", {1}, 1),
    "stray bracket": (f"{HEAD}{A}}},{B},{C}{END}", {1}, 1),
    "string that does not end": (f'{HEAD}{A},{{"type":"track","event":"Ri,{B}{END}', {1}, 1),
    "zeros after the end": (WHOLE + "\0" * 40, {1, 2}, 0),
    "zeros before the head": ("\0" * 40 + WHOLE, {1, 2}, 0),
    "zeros between events": (f"{HEAD}{A},\0\0\0,{B}{END}", {1, 2}, 1),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_in_one_place_costs_no_whole_event(case):
    body, whole, pieces = DAMAGED[case]

    raw_events = batches.parse_batch(body.replace("\\0", "\0").encode()).raw_events

    assert {number for number in (1, 2, 3) if event(number).encode() in raw_events} == whole
    assert len(raw_events) == len(whole) + pieces


def test_fields_of_the_envelope_are_read_around_the_damage():
    batch = batches.parse_batch(f"{HEAD}{A}{B}{END},".encode())

    assert (batch.sent_at, batch.write_key) == ("2027-05-01T10:00:00Z", "pk_1")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[1,2",
        '{"batch":',
        "nonsense",
        '{"batch":[1,2}',
        '{"batch":{}}',
        "\x00\x00",
        f",{A},{B}{END}",
        f"{HEAD}{A[:40]}{B},{C}{END}",
    ],
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
        f"{HEAD}{A},{C},{B[:50]}",
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )

    assert response.status_code == 200
    assert set(Event.objects.values_list("message_id", flat=True)) >= {"m-1", "m-3"}
    assert bytes(QuarantinedItem.objects.get().raw) == B[:50].encode()


def test_cut_list_of_cloud_events_keeps_the_whole_ones():
    whole = '{"specversion":"1.0","id":"1","source":"/a","type":"Ride Entered","subject":"user:n"}'

    assert batches.parse_list(f"[{whole},{whole[:30]}".encode()).raw_events == [
        whole.encode(),
        whole[:30].encode(),
    ]


def test_cut_batch_of_a_till_keeps_the_whole_lines():
    body = b'{"device":"till-1","sequence":4,"lines":[{"id":"q1","card":"01"},{"id":"q2","card":"02'

    batch = till_batches.parse_batch(body)

    assert (batch.device, batch.sequence) == ("till-1", 4)
    assert batch.raw_scans == [b'{"id":"q1","card":"01"}', b'{"id":"q2","card":"02']


@pytest.mark.parametrize(("events", "products"), [(500, 50), (1000, 20), (2500, 14)])
def test_cut_batch_of_large_nested_events_keeps_them_all(events, products):
    product = {"sku": "a", "price": {"amount": "1.00", "currency": "EUR"}}
    nested = json.dumps(
        {"type": "track", "userId": "noor", "event": "Order Completed"}
        | {"properties": {"products": [product] * products}}
    ).encode()

    batch = batches.parse_batch(b'{"batch":[' + b",".join([nested] * events))

    assert batch.raw_events == [nested] * events


INNER = '{"type":"identify","userId":"victim","traits":{"email":"x@shop.nl"}}'


@pytest.mark.parametrize(
    "outer",
    [
        f'{{"type":"track","userId":"u","event":"E","properties":{{"original":{INNER},"x":NaN}}}}',
        f'{{"type":"track","userId":"u","event":"E","properties":{{"original":{INNER},"x":"a\nb"}}}}',
        f'{{"type":"track","userId":"u","event":"E","properties":{{"text":"she wrote "{INNER}" to us"}}}}',
        f'{{"type":"track","userId":"u","event":"E","properties":{{"originals":[{INNER},{INNER}',
        f'{{"type":"track","userId":"u","event":"E","properties":{{"original":{INNER}{INNER}',
        f'{{"batch":[{INNER}',
    ],
)
@pytest.mark.parametrize("end", [END, "", f",{B}{END}"])
def test_no_object_inside_a_damaged_event_becomes_an_event(outer, end):
    raw_events = batches.parse_batch(f"{HEAD}{A},{outer}{end}".encode()).raw_events

    assert raw_events[0] == A.encode()
    assert INNER.encode() not in raw_events


def test_field_of_a_damaged_event_is_no_field_of_its_envelope():
    inner = f'{HEAD}{B}],"sentAt":"2020-01-01T00:00:00Z","writeKey":"pk_2"}}'

    batch = batches.parse_batch(f'{HEAD}{A},{{"type":"track","p":{inner},"x":NaN'.encode())

    assert (batch.sent_at, batch.write_key) == (None, "")


@pytest.mark.django_db
def test_strict_mode_refuses_a_damaged_body_and_stores_nothing(client):
    _, key = create_source(name="app", channel="app", is_secret=True)
    headers = {"authorization": f"Bearer {key}", "x-strict-mode": "1"}

    response = client.post(
        "/v1/batch",
        f'{HEAD}{A},{{"type":"track","userId":"o","properties":{{"products":[',
        content_type="application/json",
        headers=headers,
    )

    assert response.status_code == 400
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_keys_in_a_damaged_piece_are_not_readable_in_quarantine(client):
    _, key = create_source(name="app", channel="app", is_secret=True)
    piece = f'{{"type":"track","x":NaN],"writeKey":"{key}","other":"pk_{"a" * 32}"}}'

    client.post(
        "/v1/batch",
        f"{HEAD}{A},{piece}",
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )

    raw = bytes(QuarantinedItem.objects.get().raw)
    assert key.encode() not in raw
    assert b"pk_aaa" not in raw
