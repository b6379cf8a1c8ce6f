"""The evidence is read from a real database, so that what is done to one has to be noticed."""

import json

import msgspec
import pytest
from django.db import connection

from bench.chaos import evidence
from bench.chaos.checker import ShownEvent, WatchedLog, check
from bench.chaos.request_log import Acknowledgement, RequestLog, SentEvent
from customers.types import RejectedItem
from tests import conftest, factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OWNERS = ("noor", "lin", "iris")

DELETE_EVENT = "DELETE FROM customers_event WHERE message_id = 'noor-3'"
DELETE_QUARANTINE = "DELETE FROM customers_quarantineditem"
INCREASE_VERSION = "UPDATE customers_customer SET version = version + 1"
COPY_EVENT = """
INSERT INTO customers_event
SELECT (jsonb_populate_record(event, %s)).*
  FROM customers_event AS event
 WHERE message_id = 'lin-2'
"""


@pytest.fixture
def run(tmp_path):
    """Send a few events, and keep the ledger that a client would have kept."""
    source = factories.source()
    sent = [SentEvent(f"{owner}-{number}", owner) for owner in OWNERS for number in range(5)]
    unidentified = SentEvent("nameless", "nobody", is_valid=False)
    event_items = [
        factories.incoming_event(("user_id", event.owner), message_id=event.message_id)
        for event in sent
    ]
    with_owner = [
        msgspec.structs.replace(
            event_item, body=json.dumps({"context": {"owner": event.owner}}).encode()
        )
        for event_item, event in zip(event_items, sent, strict=True)
    ]
    refused = RejectedItem(b"{}", "no_identifier", message_id=unidentified.message_id)
    factories.ingest.store_events(
        sender=factories.sender(source),
        events=with_owner,
        rejected_items=[refused],
        received_at=factories.NOON,
    )
    with RequestLog(tmp_path / "ledger") as request_log:
        request = request_log.create_request([*sent, unidentified])
        request_log.add_attempt(request, 0.0)
        request_log.add_acknowledgement(
            request, 1.0, Acknowledgement(accepted=len(sent), duplicates=0, quarantined=1)
        )
    return source, request_log.requests


def findings(run, **options) -> list[str]:
    source, requests = run
    url = conftest.database_url(connection.settings_dict)
    observed = evidence.read_observations(url, source.id, **options)
    return sorted({finding.check for finding in check(requests, observed)})


def change_database(statement: str, *values: object) -> None:
    """Do to the database what Butler's own guard would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_event DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE customers_event ENABLE TRIGGER USER")


def test_correctly_stored_events_have_no_findings(run):
    assert findings(run) == []


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        pytest.param(DELETE_EVENT, [], ["C1", "C9"], id="an event is gone"),
        pytest.param(DELETE_QUARANTINE, [], ["C10"], id="quarantine is empty"),
        pytest.param(INCREASE_VERSION, [], ["C9"], id="a version was given to nobody"),
        pytest.param(
            COPY_EVENT,
            [json.dumps({"version": 6, "message_key": "00000000-0000-0000-0000-000000000001"})],
            ["C2", "C9"],
            id="an event is there twice",
        ),
        pytest.param(
            COPY_EVENT,
            [
                json.dumps(
                    {
                        "version": 6,
                        "message_id": "made up",
                        "message_key": "00000000-0000-0000-0000-000000000001",
                    }
                )
            ],
            ["C3", "C9"],
            id="an event that nobody sent",
        ),
    ],
)
def test_change_in_the_database_is_noticed(run, statement, values, expected):
    change_database(statement, *values)

    assert findings(run) == expected


def test_stream_with_missing_repeated_or_foreign_events_is_noticed(run):
    from customers.models import Event

    noor = Event.objects.get(message_id="noor-0").customer_id
    events = Event.objects.filter(customer_id=noor).order_by("version")
    shown = [ShownEvent(event.version, event.message_id, "noor") for event in events]
    foreign = [*shown[:-1], ShownEvent(shown[-1].version, "lin-1", "lin")]

    assert findings(run, watched_logs=[WatchedLog(str(noor), 0, shown)]) == []
    assert findings(run, watched_logs=[WatchedLog(str(noor), 0, shown[1:])]) == ["C9"]
    assert findings(run, watched_logs=[WatchedLog(str(noor), 0, [*shown, shown[-1]])]) == ["C9"]
    assert findings(run, watched_logs=[WatchedLog(str(noor), 0, foreign)]) == ["C9"]
