import pytest
from django.db import ProgrammingError, transaction

from customers.models import Event, SourceKey
from tests import factories
from tests.factories import item, record

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
    record(item(("user_id", "noor")))

    with pytest.raises(ProgrammingError, match=r"Cannot (update|delete)"), transaction.atomic():
        change()

    assert Event.objects.get().name == "Ride Entered"


def test_a_publishable_key_cannot_be_given_a_scope_that_reads():
    with pytest.raises(Exception, match="publishable_key_can_only_write"), transaction.atomic():
        SourceKey.objects.create(
            source=factories.source(), prefix="pk_x", digest=b"x", scopes=["ingest", "read"]
        )
