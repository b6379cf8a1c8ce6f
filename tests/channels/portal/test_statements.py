"""How many statements a page takes: as many with much to show as with little."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from butler import sql as butlers
from customers import reading
from customers import sql as customers
from customers.models import Look, Purpose, Topic
from tests import factories

pytestmark = pytest.mark.django_db

# The session, its login and the doorway are three of them.
MOST = {
    "/": 15,
    "/orders/": 5,
    "/orders/LK-1/": 7,
    "/inbox/": 6,
    "/preferences/": 8,
    "/receipts/": 9,
    "/why/": 8,
    "/why/looks/": 5,
}


@pytest.fixture
def count(monkeypatch, django_assert_max_num_queries):
    """Return a function that counts all statements of a request: Django's and our own."""
    ours: list[str] = []

    def counting(module, name):
        original = getattr(module, name)

        def counted(statement, params):
            ours.append(str(statement)[:40])
            return original(statement, params)

        monkeypatch.setattr(module, name, counted)

    counting(butlers, "run")
    counting(customers, "run")
    counting(reading, "rows")

    def of(client, path: str) -> int:
        ours.clear()
        with connection.execute_wrapper(_note(ours)):
            assert client.get(path).status_code == 200
        return len(ours)

    return of


def _note(seen: list[str]):
    def wrapper(execute, sql, params, many, context):
        seen.append(sql[:40])
        return execute(sql, params, many, context)

    return wrapper


def _fill(noor, place, much: int) -> None:
    for number in range(much):
        place(f"LK-{number + 1}")
        message = factories.message(noor, subject=str(number), seen_at=timezone.now())
        factories.decision(noor, message_id=message.pk, run_id=uuid.uuid4())
        Look.objects.create(customer=noor, at=timezone.now(), actor="staff:Sam", what="page")
        Purpose.objects.create(key=f"p{number}", kind="contact", texts={"en": {"name": "P"}})
        Topic.objects.create(key=f"t{number}", texts={"en": {"name": "T"}})


@pytest.mark.parametrize("path", MOST)
def test_a_page_takes_as_many_statements_for_much_as_for_little(
    signed_in, noor, place, count, path
):
    _fill(noor, place, 1)
    little = count(signed_in, path)
    Purpose.objects.all().delete()
    Topic.objects.all().delete()
    _fill(noor, place, 15)

    much = count(signed_in, path)

    assert little == much <= MOST[path], (little, much)
