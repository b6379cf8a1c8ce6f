"""The number of SQL statements of a page does not depend on the number of rows."""

import uuid

import pytest
from django.utils import timezone

from customers.models import AccessLogEntry, Purpose, Topic
from tests import factories

pytestmark = pytest.mark.django_db

# The session, its login, what it opens and the doorway are four of them.
MOST = {
    "/": 16,
    "/orders/": 5,
    # The first visit stores the codes of the tickets.
    "/orders/LK-1/": 13,
    "/inbox/": 6,
    "/preferences/": 8,
    "/receipts/": 9,
    "/why/": 8,
    "/why/access-log/": 5,
}


def _fill_the_record(noor, place, much: int) -> None:
    for number in range(much):
        place(f"LK-{number + 1}")
        message = factories.message(noor, subject=str(number), seen_at=timezone.now())
        factories.decision(noor, message_id=message.pk, run_id=uuid.uuid4())
        AccessLogEntry.objects.create(
            customer=noor, at=timezone.now(), actor="staff:Sam", what="page"
        )
        Purpose.objects.create(key=f"p{number}", kind="contact", texts={"en": {"name": "P"}})
        Topic.objects.create(key=f"t{number}", texts={"en": {"name": "T"}})


@pytest.mark.parametrize("path", MOST)
def test_a_page_takes_as_many_statements_for_much_as_for_little(
    signed_in, noor, place, count_statements, path
):
    def statements_of_page():
        with count_statements() as statements:
            assert signed_in.get(path).status_code == 200
        return statements

    _fill_the_record(noor, place, 1)
    little = statements_of_page()
    Purpose.objects.all().delete()
    Topic.objects.all().delete()
    _fill_the_record(noor, place, 15)

    much = statements_of_page()

    assert len(little) == len(much) <= MOST[path], (little, much)
