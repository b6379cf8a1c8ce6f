import uuid

import pytest
from django.test import Client

from customers.models import AccessLogEntry, Event, User
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _login(email: str) -> tuple:
    record = factories.customer(("email", email), first_name=email.partition("@")[0])
    client = Client()
    client.force_login(User.objects.create_user(email, record=record))
    return record, client


@pytest.fixture
def noor():
    return _login("noor@example.com")


@pytest.fixture
def els():
    return _login("els@example.com")


def test_messages_are_listed_read_and_marked(noor):
    record, app = noor
    message = factories.message(record)
    path = f"/api/me/messages/{message.pk}/"

    listed = app.get("/api/me/messages/").json()["results"]
    read = app.post(f"{path}read/", content_type="application/json")

    assert [row["id"] for row in listed] == [str(message.pk)]
    assert listed[0]["is_unread"]
    assert read.status_code == 200
    assert not read.json()["is_unread"]
    assert app.get(path).json()["read_at"] == read.json()["read_at"]
    assert Event.objects.filter(name="Message Read").count() == 1


@pytest.mark.parametrize("end", ["", "read/"])
def test_message_of_another_customer_is_not_found(noor, els, end):
    message = factories.message(els[0])
    send = noor[1].post if end else noor[1].get

    theirs = send(f"/api/me/messages/{message.pk}/{end}", content_type="application/json")
    nobodys = send(f"/api/me/messages/{uuid.uuid4()}/{end}", content_type="application/json")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content


def test_decisions_and_access_log_are_listed(noor, els):
    record, app = noor
    factories.decision(record)
    factories.decision(record, outcome="skip", code="no_basis")
    factories.decision(els[0])
    for whom in (record, els[0]):
        AccessLogEntry.objects.create(
            customer=whom, at=NOON, actor="staff:Sam", what="page", reason="call"
        )

    assert len(app.get("/api/me/why/").json()["results"]) == 2
    [unsent] = app.get("/api/me/why/?sent=no").json()["results"]
    assert unsent["decisions"][0]["code"] == "no_basis"
    assert app.get("/api/me/why/?sent=maybe").status_code == 400
    assert [entry["actor"] for entry in app.get("/api/me/access-log/").json()["results"]] == [
        "staff:Sam"
    ]


def test_pages_of_messages_continue(noor):
    record, app = noor
    for _ in range(3):
        factories.message(record)

    first = app.get("/api/me/messages/?limit=2").json()
    second = app.get(first["next"]).json()

    assert len({message["id"] for message in first["results"] + second["results"]}) == 3
    assert second["next"] is None
