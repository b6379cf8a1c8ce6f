import threading
import uuid

import pytest
from django.db import connection

from butler.actions.inbox import NoSuchMessage, mark_read, mark_seen
from butler.models import Message
from butler.queries import inbox
from customers.models import Customer, Event
from tests import factories
from tests.factories import NOON


@pytest.fixture
def noor(db) -> Customer:
    return factories.customer(("email", "noor@example.com"), first_name="Noor")


def _listed(of: Customer) -> list[str]:
    return [one.subject for one in inbox.messages([of.pk], cursor=None, limit=50).results]


@pytest.mark.parametrize("state", ["queued", "suppressed", "expired"])
def test_what_never_left_is_no_message(noor, state):
    message = factories.message(noor, state=state)

    assert _listed(noor) == []
    assert inbox.message([noor.pk], message.pk) is None


@pytest.mark.parametrize(
    "state", ["sending", "accepted", "delivered", "rejected", "failed", "bounced", "uncertain"]
)
def test_what_left_or_may_have_is_there_and_says_so(noor, state):
    factories.message(noor, state=state, channel="email")

    [found] = inbox.messages([noor.pk], cursor=None, limit=50).results

    assert found.state == state
    assert not found.is_unread


def test_a_message_that_was_taken_back_keeps_its_place_and_loses_its_words(noor):
    message = factories.message(noor, state="withdrawn", text="Wrong price: 1 euro")
    factories.message(noor, state="withdrawn", handed_over_at=None)

    [found] = inbox.messages([noor.pk], cursor=None, limit=50).results

    assert (found.id, found.subject, found.text) == (message.pk, "", "")


def test_reading_happens_once_and_is_on_the_log(noor):
    message = factories.message(noor)

    assert mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)
    assert not mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)

    message.refresh_from_db()
    assert message.read_at == message.seen_at == NOON
    event = Event.objects.get(name="Message Read")
    assert (event.kind, event.about) == ("message", f"message:{message.pk}")
    noor.refresh_from_db()
    assert event.version == noor.version


def test_nobody_reads_anothers_message(noor):
    els = factories.customer(("email", "els@example.com"))
    message = factories.message(els)

    with pytest.raises(NoSuchMessage):
        mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)
    with pytest.raises(NoSuchMessage):
        mark_read(ids=[noor.pk], message_id=uuid.uuid4(), now=NOON)

    assert mark_seen(ids=[noor.pk], messages=[message.pk], now=NOON) == 0
    assert not Event.objects.filter(name="Message Read").exists()


def test_what_was_on_the_screen_was_seen_and_not_read(noor):
    here, mailed = factories.message(noor), factories.message(noor, channel="email")

    mark_seen(ids=[noor.pk], messages=[here.pk, mailed.pk], now=NOON)

    here.refresh_from_db()
    mailed.refresh_from_db()
    assert (here.seen_at, here.read_at) == (NOON, None)
    # That a list names a mail says nothing of whether the mail was opened.
    assert mailed.seen_at is None


@pytest.mark.django_db(transaction=True)
def test_ten_devices_that_read_at_once_are_one_event(noor):
    message = factories.message(noor)
    news: list[bool] = []

    def read() -> None:
        try:
            news.append(mark_read(ids=[noor.pk], message_id=message.pk, now=NOON))
        finally:
            connection.close()

    threads = [threading.Thread(target=read) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(news) == [False] * 9 + [True]
    assert Event.objects.filter(name="Message Read").count() == 1
    assert Message.objects.get().read_at == NOON
