"""The evidence is read from a real database, so that what is done to one has to be noticed."""

import json

import msgspec
import pytest
from django.db import connection

from bench.chaos import evidence
from bench.chaos.checker import Shown, Watched, check
from bench.chaos.ledger import Ledger, Sent, Told
from customers.types import RejectedItem
from tests import conftest, factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OWNERS = ("noor", "lin", "iris")

DELETE_ONE = "DELETE FROM customers_event WHERE message_id = 'noor-3'"
FORGET_WHAT_WAS_APART = "DELETE FROM customers_quarantineditem"
MOVE_THE_HEAD = "UPDATE customers_customer SET version = version + 1"
COPY = """
INSERT INTO customers_event
SELECT (jsonb_populate_record(event, %s)).*
  FROM customers_event AS event
 WHERE message_id = 'lin-2'
"""


@pytest.fixture
def run(tmp_path):
    """Send a few events, and keep the ledger that a client would have kept."""
    source = factories.source()
    sent = [Sent(f"{owner}-{n}", owner) for owner in OWNERS for n in range(5)]
    nameless = Sent("nameless", "nobody", is_fit=False)
    items = [
        factories.item(("user_id", event.owner), message_id=event.message_id) for event in sent
    ]
    with_owner = [
        msgspec.structs.replace(item, body=json.dumps({"context": {"owner": event.owner}}).encode())
        for item, event in zip(items, sent, strict=True)
    ]
    refused = RejectedItem(b"{}", "no_identifier", message_id=nameless.message_id)
    factories.ingest.record(
        sender=factories.sender(source),
        items=with_owner,
        refused=[refused],
        received_at=factories.NOON,
    )
    with Ledger(tmp_path / "ledger") as ledger:
        request = ledger.request([*sent, nameless])
        ledger.attempt(request, 0.0)
        ledger.ack(request, 1.0, Told(accepted=len(sent), duplicates=0, apart=1))
    return source, ledger.requests


def findings(run, **more) -> list[str]:
    source, requests = run
    url = conftest._url(connection.settings_dict)
    facts = evidence.gather(url, source.id, **more)
    return sorted({finding.check for finding in check(requests, facts)})


def change(statement: str, *values: object) -> None:
    """Do to the database what Butler's own guard would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_event DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE customers_event ENABLE TRIGGER USER")


def test_what_was_stored_as_it_should_be_is_not_accused(run):
    assert findings(run) == []


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        pytest.param(DELETE_ONE, [], ["C1", "C9"], id="an event is gone"),
        pytest.param(FORGET_WHAT_WAS_APART, [], ["C10"], id="quarantine is empty"),
        pytest.param(MOVE_THE_HEAD, [], ["C9"], id="a version was given to nobody"),
        pytest.param(
            COPY,
            [json.dumps({"version": 6, "message_key": "00000000-0000-0000-0000-000000000001"})],
            ["C2", "C9"],
            id="an event is there twice",
        ),
        pytest.param(
            COPY,
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
def test_what_is_done_to_the_database_is_noticed(run, statement, values, expected):
    change(statement, *values)

    assert findings(run) == expected


def test_what_a_stream_should_not_have_shown_is_noticed(run):
    from customers.models import Event

    noor = Event.objects.get(message_id="noor-0").customer_id
    logs = Event.objects.filter(customer_id=noor).order_by("version")
    shown = [Shown(e.version, e.message_id, "noor") for e in logs]
    foreign = [*shown[:-1], Shown(shown[-1].version, "lin-1", "lin")]

    assert findings(run, watched=[Watched(str(noor), 0, shown)]) == []
    assert findings(run, watched=[Watched(str(noor), 0, shown[1:])]) == ["C9"]
    assert findings(run, watched=[Watched(str(noor), 0, [*shown, shown[-1]])]) == ["C9"]
    assert findings(run, watched=[Watched(str(noor), 0, foreign)]) == ["C9"]
