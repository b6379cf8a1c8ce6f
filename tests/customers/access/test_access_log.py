"""Each access to a record adds a row; a repeated access of a system adds none for a while."""

from datetime import UTC, datetime

import pytest

from customers.access import access_log
from customers.models import AccessLogEntry
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 4, 21, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch):
    monkeypatch.setattr(access_log, "_recent", {})


def note(customer, **facts):
    access_log.log_api_access(
        customer_ids=[customer.id],
        now=NOW,
        **{"actor": "source:app", "role": access_log.SYSTEM, "what": "record", **facts},
    )


def test_repeated_read_by_a_key_makes_one_access_log_entry():
    customer = factories.customer()

    for _ in range(3):
        note(customer)

    assert AccessLogEntry.objects.filter(customer=customer).count() == 1


def test_other_page_record_or_key_makes_another_access_log_entry():
    noor, sam = factories.customer(), factories.customer()

    note(noor)
    note(sam)
    note(noor, what="timeline")
    note(noor, actor="source:site")

    assert AccessLogEntry.objects.count() == 4


def test_later_read_makes_a_new_access_log_entry(monkeypatch):
    customer = factories.customer()
    note(customer)

    monkeypatch.setattr(access_log, "_REPEAT_SECONDS", 0.0)
    note(customer)

    assert AccessLogEntry.objects.count() == 2


def test_every_read_by_a_person_makes_an_access_log_entry():
    customer = factories.customer()

    for _ in range(3):
        note(customer, actor="staff:Sam", role="staff")

    assert AccessLogEntry.objects.filter(actor="staff:Sam").count() == 3


def test_remembered_reads_are_limited(monkeypatch):
    monkeypatch.setattr(access_log, "_MAX_RECENT", 2)

    for _ in range(5):
        note(factories.customer())

    assert len(access_log._recent) <= 2
    assert AccessLogEntry.objects.count() == 5
