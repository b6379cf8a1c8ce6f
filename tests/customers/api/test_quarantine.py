import base64
import json
from io import StringIO

import pytest
from django.core.management import call_command

from channels.ingest import segment
from customers import ingest
from customers.models import QuarantinedItem
from customers.types import RejectedItem
from tests import factories
from tests.factories import NOON

GOOD = json.dumps(
    {
        "type": "track",
        "event": "Ride Entered",
        "messageId": "m-1",
        "userId": "u-1",
        "timestamp": "2026-11-21T11:00:00Z",
    }
).encode()
BAD = b'{"type": "track", "event": "Ride Entered"}'


@pytest.fixture
def quarantine(db):
    """Return a function that puts something into quarantine."""

    def keep(raw: bytes, reason: str = "key_too_long", by=None) -> QuarantinedItem:
        refused = RejectedItem(raw, reason, "why", "m-1")
        ingest.store_events(
            sender=by or factories.sender(trusted=False),
            events=[],
            rejected_items=[refused],
            received_at=NOON,
        )
        return QuarantinedItem.objects.latest("id")

    return keep


def test_quarantined_item_is_shown_as_received(desk, quarantine):
    quarantined = quarantine(b'{"a": \xff}', "invalid_utf8")

    listed = desk.get("/api/quarantine/", {"reason": "invalid_utf8"}).json()["results"]
    document = desk.get(f"/api/quarantine/{quarantined.id}/").json()

    assert [(row["id"], row["size"], "raw" in row) for row in listed] == [
        (quarantined.id, 8, False)
    ]
    assert base64.b64decode(document["raw"]) == b'{"a": \xff}'
    assert (document["reason"], document["detail"], document["message_id"]) == (
        "invalid_utf8",
        "why",
        "m-1",
    )


def test_quarantine_list_is_filtered_by_source_and_has_pages(desk, quarantine):
    till = factories.sender(factories.source("till 3"))
    item_ids = [quarantine(b"%d" % n, by=till).id for n in range(3)]
    quarantine(b"other")

    page = desk.get("/api/quarantine/", {"source": "till 3", "limit": 2}).json()
    rest = desk.get(page["next"]).json()

    assert [row["id"] for row in page["results"] + rest["results"]] == item_ids[::-1]


def test_replayed_item_that_is_valid_now_is_stored_once(desk, quarantine):
    quarantined = quarantine(GOOD)

    first = desk.post(f"/api/quarantine/{quarantined.id}/replay/")
    again = desk.post(f"/api/quarantine/{quarantined.id}/replay/")

    timeline = desk.get(f"/api/customers/{first.json()['customer']}/timeline/").json()["results"]
    assert (first.status_code, first.json()["version"]) == (200, 1)
    assert [(event["name"], event["is_verified"]) for event in timeline] == [
        ("Ride Entered", False)
    ]
    assert timeline[0]["received_at"] == NOON.isoformat().replace("+00:00", "Z")
    assert again.status_code == 409
    assert desk.get(f"/api/quarantine/{quarantined.id}/").json()["replayed_at"]


def test_replayed_item_that_is_still_invalid_stays_with_its_reason(desk, quarantine):
    quarantined = quarantine(BAD)

    answer = desk.post(f"/api/quarantine/{quarantined.id}/replay/")

    assert (answer.status_code, "missing_ids" in answer.json()["detail"]) == (409, True)
    quarantined.refresh_from_db()
    assert quarantined.replayed_at is None
    assert QuarantinedItem.objects.count() == 1


def test_replay_command_tries_all_waiting_items(quarantine):
    for n in range(3):
        quarantine(GOOD.replace(b"m-1", b"m-%d" % n))
    quarantine(BAD)
    out = StringIO()

    call_command("replay_quarantine", stdout=out)
    call_command("replay_quarantine", stdout=out)

    assert out.getvalue().split() == (
        "3 accepted 1 missing_ids 4 in all 1 missing_ids 1 in all".split()  # noqa: SIM905
    )


def test_replay_command_can_be_filtered(quarantine):
    quarantine(GOOD, "too_deep")
    quarantined = quarantine(GOOD.replace(b"m-1", b"m-2"), "key_too_long")
    out = StringIO()

    call_command("replay_quarantine", "--reason", "key_too_long", stdout=out)
    call_command("replay_quarantine", "999999", stdout=out)

    quarantined.refresh_from_db()
    assert quarantined.replayed_at
    assert QuarantinedItem.objects.filter(replayed_at__isnull=True).count() == 1
    assert "missing" in out.getvalue()


def test_replay_uses_the_reader_of_the_endpoint():
    """The sample is really good today; else the tests above would prove nothing."""
    assert isinstance(segment.read_event(BAD, segment.RequestContext(NOON)), RejectedItem)
    assert not isinstance(segment.read_event(GOOD, segment.RequestContext(NOON)), RejectedItem)


def test_filter_with_a_nul_character_is_refused(make_key, make_staff):
    for caller in (make_key(), make_staff("view_quarantineditem")):
        answer = caller.get("/api/quarantine/?reason=a%00b")

        assert answer.status_code == 400
        assert answer.json()["detail"] == "The request cannot be read."
