import threading
import uuid
from datetime import timedelta
from itertools import permutations

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
    return [
        message.subject
        for message in inbox.messages([of.pk], cursor=None, limit=50, part=None).results
    ]


@pytest.mark.parametrize("state", ["queued", "suppressed", "expired"])
def test_unsent_message_is_not_listed(noor, state):
    message = factories.message(noor, state=state)

    assert _listed(noor) == []
    assert inbox.message([noor.pk], message.pk, part=None) is None


@pytest.mark.parametrize(
    "state", ["sending", "accepted", "delivered", "rejected", "failed", "bounced", "uncertain"]
)
def test_sent_or_uncertain_message_is_listed_with_its_state(noor, state):
    factories.message(noor, state=state, channel="email")

    [listed] = inbox.messages([noor.pk], cursor=None, limit=50, part=None).results

    assert listed.state == state
    assert not listed.is_unread


def test_withdrawn_message_stays_in_the_list_without_its_text(noor):
    message = factories.message(noor, state="withdrawn", text="Wrong price: 1 euro")
    factories.message(noor, state="withdrawn", handed_over_at=None)

    [listed] = inbox.messages([noor.pk], cursor=None, limit=50, part=None).results

    assert (listed.id, listed.subject, listed.text) == (message.pk, "", "")


def _ways(of: Customer) -> list[tuple[str, list[tuple[str, str]]]]:
    messages = inbox.messages([of.pk], cursor=None, limit=50, part=None).results
    return [
        (message.channel, [(also.channel, also.state) for also in message.also])
        for message in messages
    ]


def _message_of_run(
    to: Customer, run: uuid.UUID, channel: str, step: str = "0", **fields
) -> Message:
    return factories.message(to, run_id=run, step=step, channel=channel, **fields)


@pytest.mark.parametrize("ways", list(permutations(["email", "inbox", "sms"])))
def test_message_sent_through_several_channels_is_listed_once(noor, ways):
    run = uuid.uuid4()
    for at, channel in enumerate(ways):
        _message_of_run(noor, run, channel, at=NOON + timedelta(seconds=at))

    [(channel, also)] = _ways(noor)

    others = [way for way in ways if way != "inbox"]
    assert (channel, also) == ("inbox", [(way, "accepted") for way in others])


def test_message_without_an_inbox_copy_is_listed_as_first_sent(noor):
    run = uuid.uuid4()
    later = _message_of_run(noor, run, "sms", at=NOON + timedelta(seconds=1), state="bounced")
    first = _message_of_run(noor, run, "email")

    assert _ways(noor) == [("email", [("sms", "bounced")])]
    # Each can be read by itself, and names the other.
    for shown, other in ((first, later), (later, first)):
        message = inbox.message([noor.pk], shown.pk, part=None)
        assert message is not None
        assert (message.id, [also.id for also in message.also]) == (shown.pk, [other.pk])


def test_sent_email_is_listed_when_its_inbox_copy_was_withdrawn(noor):
    run = uuid.uuid4()
    _message_of_run(noor, run, "inbox", state="withdrawn")
    _message_of_run(noor, run, "email", state="delivered")

    assert _ways(noor) == [("email", [("inbox", "withdrawn")])]


def test_different_content_is_another_message(noor):
    run = uuid.uuid4()
    _message_of_run(noor, run, "inbox")
    _message_of_run(noor, run, "email", step="1")
    _message_of_run(noor, uuid.uuid4(), "email")
    _message_of_run(noor, run, "email", state="suppressed")
    for _ in range(2):
        factories.message(noor, channel="email")

    assert sorted(_ways(noor)) == [("email", [])] * 4 + [("inbox", [])]


def test_pages_list_messages_with_several_channels_exactly_once(noor):
    expected_ids = []
    for at in range(7):
        run, when = uuid.uuid4(), NOON + timedelta(minutes=at)
        _message_of_run(noor, run, "email", at=when)
        expected_ids.append(_message_of_run(noor, run, "inbox", at=when).pk)

    listed_ids, cursor = [], None
    while True:
        page = inbox.messages([noor.pk], cursor=cursor, limit=3, part=None)
        listed_ids += [message.id for message in page.results]
        if not (cursor := page.next):
            break

    assert listed_ids == expected_ids[::-1]


def test_message_is_marked_read_once_with_one_event(noor):
    message = factories.message(noor)

    assert mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)
    assert not mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)

    message.refresh_from_db()
    assert message.read_at == message.seen_at == NOON
    event = Event.objects.get(name="Message Read")
    assert (event.kind, event.about) == ("message", f"message:{message.pk}")
    noor.refresh_from_db()
    assert event.version == noor.version


def test_message_of_another_customer_cannot_be_read(noor):
    els = factories.customer(("email", "els@example.com"))
    message = factories.message(els)

    with pytest.raises(NoSuchMessage):
        mark_read(ids=[noor.pk], message_id=message.pk, now=NOON)
    with pytest.raises(NoSuchMessage):
        mark_read(ids=[noor.pk], message_id=uuid.uuid4(), now=NOON)

    assert mark_seen(ids=[noor.pk], messages=[message.pk], now=NOON) == 0
    assert not Event.objects.filter(name="Message Read").exists()


def test_listed_message_is_seen_but_not_read(noor):
    here, mailed = factories.message(noor), factories.message(noor, channel="email")

    mark_seen(ids=[noor.pk], messages=[here.pk, mailed.pk], now=NOON)

    here.refresh_from_db()
    mailed.refresh_from_db()
    assert (here.seen_at, here.read_at) == (NOON, None)
    # A mail in a list is not necessarily opened.
    assert mailed.seen_at is None


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_reads_append_one_event(noor):
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
