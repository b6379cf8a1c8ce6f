import json
import uuid

import pytest

from channels.quarantine.replay import replay
from customers.models import Event, QuarantinedItem
from tests import factories
from tests.channels.wire_client import track
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def quarantine(of, raw, *, message_id=""):
    """Create an item that an earlier reader refused and the current reader accepts."""
    return QuarantinedItem.objects.create(
        source=of,
        raw=json.dumps(raw).encode(),
        reason="not_understood_then",
        message_id=message_id,
        digest=uuid.uuid4(),
        evidence=2,
        received_at=NOON,
    )


CLOUDEVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/gates/2",
    "type": "gate.entered",
    "subject": "card:LK1",
}
WEBHOOK = {"type": "gate.entered", "data": {"card": "LK1"}}


@pytest.mark.parametrize(
    ("raw", "secrets", "message_id"),
    [
        pytest.param(track(event="gate.entered"), [], "", id="client"),
        pytest.param(CLOUDEVENT, [], "", id="cloudevent"),
        pytest.param(WEBHOOK, ["whsec_x"], "msg_1", id="webhook"),
    ],
)
def test_each_shape_is_read_as_what_it_came_as(raw, secrets, message_id):
    quarantined = quarantine(factories.source(webhook_secrets=secrets), raw, message_id=message_id)

    outcome = replay(item_id=quarantined.pk, now=NOON)

    assert outcome.status == "accepted"
    stored = Event.objects.get()
    assert (stored.name, stored.received_at) == ("gate.entered", NOON)


def test_replayed_item_that_is_still_invalid_stays_in_quarantine():
    quarantined = quarantine(factories.source(), {"specversion": "1.0", "type": "gate.entered"})

    outcome = replay(item_id=quarantined.pk, now=NOON)

    assert (outcome.status, outcome.reason) == ("quarantined", "missing_attribute")
    quarantined.refresh_from_db()
    assert quarantined.replayed_at is None


def test_item_replayed_twice_is_stored_once():
    quarantined = quarantine(factories.source(), CLOUDEVENT)
    replay(item_id=quarantined.pk, now=NOON)

    again = replay(item_id=quarantined.pk, now=NOON)

    assert (again.status, Event.objects.count()) == ("duplicate", 1)
