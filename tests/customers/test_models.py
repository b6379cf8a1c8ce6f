import pytest
from django.db import ProgrammingError, connection, transaction

from butler.models import AutomationVersion, Decision
from customers.models import AccessLogEntry, Event, LedgerEntry, Notice, SourceKey
from tests import factories
from tests.butler.arrange import vocabulary
from tests.factories import incoming_event, record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: Event.objects.update(name="Ride Left"), id="changed"),
        pytest.param(lambda: Event.objects.all().delete(), id="deleted"),
        pytest.param(lambda: Event.objects.all()._raw_delete("default"), id="deleted-by-sql"),
    ],
)
def test_an_event_is_never_changed_and_never_deleted(change):
    record(incoming_event(("user_id", "noor")))

    with pytest.raises(ProgrammingError, match=r"Cannot (update|delete)"), transaction.atomic():
        change()

    assert Event.objects.get().name == "Ride Entered"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "model", [Event, LedgerEntry, Notice, AccessLogEntry, Decision, AutomationVersion]
)
def test_append_only_tables_cannot_be_truncated(model):
    """A TRUNCATE is no DELETE: the triggers for rows never hear of it."""
    table = model._meta.db_table

    with (
        pytest.raises(ProgrammingError, match=f"Cannot truncate {table}"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db(transaction=True)
def test_append_only_tables_cannot_be_truncated_by_cascade():
    vocabulary()

    with (
        pytest.raises(ProgrammingError, match="Cannot truncate customers_notice"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE customers_purpose CASCADE")

    assert Notice.objects.exists()


def test_a_publishable_key_cannot_be_given_a_scope_that_reads():
    with pytest.raises(Exception, match="publishable_key_can_only_write"), transaction.atomic():
        SourceKey.objects.create(
            source=factories.source(), prefix="pk_x", digest=b"x", scopes=["ingest", "read"]
        )
