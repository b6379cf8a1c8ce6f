"""The events of a stream, from the real live process on the real database."""

import threading

import pytest
from django.utils import timezone

from tests import factories
from tests.channels.live.conftest import guest, store_events
from tests.channels.live.stream_reader import by_key
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_a_stream_greets_with_the_version_and_goes_on_from_there(streams):
    noor = guest()
    store_events(noor, times=2)

    with streams.follow(noor) as reader:
        store_events(noor, name="Dinner Booked")
        reader.wait(lambda r: r.versions)

    hello, booked = reader.frames
    assert hello == ("hello", {"customer": str(noor.id), "version": 3}, 3)
    assert reader.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reader.answer.headers["Cache-Control"] == "no-store"
    assert reader.retry is not None
    assert (booked.name, booked.id) == ("Dinner Booked", 4)
    assert booked.payload["version"] == 4
    assert booked.payload["channel"] == "app"
    assert booked.payload["body"]["event"] == "Dinner Booked"


def test_a_reader_who_says_where_it_was_gets_everything_since(streams):
    noor = guest()
    store_events(noor, times=4)

    with streams.follow(noor, after=2) as reader:
        reader.wait(lambda r: len(r.versions) == 3)

    assert reader.versions == [3, 4, 5]
    assert reader.frames[0].id is None


def test_the_last_id_of_a_browser_wins_over_the_address_it_was_given(streams):
    noor = guest()
    store_events(noor, times=4)

    path = f"/live/customers/{noor.id}?after=1"
    with streams.open(path, **by_key(streams.key), Last_Event_ID="4") as reader:
        reader.wait(lambda r: r.versions)
        store_events(noor)
        reader.wait(lambda r: len(r.versions) == 2)

    assert reader.versions == [5, 6]


def test_a_position_that_is_not_reached_yet_starts_at_the_head(streams):
    noor = guest()

    with streams.follow(noor, after=99) as reader:
        store_events(noor)
        reader.wait(lambda r: r.versions)

    assert reader.frames[0].id == 1
    assert reader.versions == [2]


def test_a_long_log_is_replayed_whole_and_in_order(streams):
    noor = guest()
    for _ in range(5):
        store_events(noor, times=500)

    with streams.follow(noor, after=0) as reader:
        reader.wait(lambda r: len(r.versions) == 2501, seconds=60)

    assert reader.versions == list(range(1, 2502))


def test_large_events_are_replayed_whole(streams):
    noor = guest()
    store_events(noor, times=12, properties={"note": "x" * 30_000})

    with streams.follow(noor, after=0) as reader:
        reader.wait(lambda r: len(r.versions) == 13)

    assert reader.versions == list(range(1, 14))
    assert len(reader.events[-1].payload["body"]["properties"]["note"]) == 30_000


def test_a_reader_misses_nothing_over_fifty_reconnects_while_events_keep_coming(streams):
    noor, lin = guest(), guest("lin")
    is_over = threading.Event()

    def keep_writing():
        from django.db import connection

        while not is_over.is_set():
            store_events(noor, times=2)
            store_events(lin, name="Somebody Else")
        connection.close()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    frames, position = [], 0
    try:
        for _ in range(50):
            with streams.follow(noor, after=position) as reader:
                reader.wait(lambda r: len(r.versions) >= 3)
            frames += reader.events
            position = frames[-1].payload["version"]
    finally:
        is_over.set()
        writer.join()

    assert [frame.payload["version"] for frame in frames] == list(range(1, position + 1))
    assert {frame.name for frame in frames} == {"identify", "Ride Entered"}


def test_stream_has_no_events_of_other_customers(streams):
    cast = [guest(name) for name in ("noor", "lin", "iris", "sam")]

    readers = [streams.follow(customer) for customer in cast]
    for _ in range(10):
        for customer in cast:
            store_events(customer, name=f"Only {customer.id}")
    for reader, customer in zip(readers, cast, strict=True):
        reader.wait(lambda r: len(r.versions) == 10)
        reader.close()
        assert set(reader.names[1:]) == {f"Only {customer.id}"}
        assert reader.versions == list(range(2, 12))


# Access -------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["x", "-1", "1.5"])
def test_invalid_position_is_a_bad_request(streams, after):
    path = f"/live/customers/{guest().id}?after={after}"
    with streams.open(path, **by_key(streams.key)) as reader:
        assert reader.status == 400


def test_the_sixth_stream_of_a_customer_is_refused_until_one_closes(streams, noor):
    open_ones = [streams.open(X_Session_Token=noor.session) for _ in range(5)]

    with streams.open(X_Session_Token=noor.session) as sixth:
        assert sixth.status == 429
        assert int(sixth.answer.headers["Retry-After"]) > 0
    # The open streams of the customer do not block the call desk.
    with streams.follow(noor.customer) as desk:
        assert desk.status == 200
    open_ones.pop().close()
    wait_until(lambda: _can_open_stream(streams, noor))
    for reader in open_ones:
        reader.close()


def _can_open_stream(streams, noor):
    with streams.open(X_Session_Token=noor.session) as reader:
        return reader.status == 200


# Losing a right, joining, parting ------------------------------------------------------


def end_session(noor):
    from django.contrib.sessions.models import Session

    Session.objects.filter(pk=noor.session).delete()


def change_password(noor):
    noor.user.set_password("another good password")
    noor.user.save()


def close_login(noor):
    type(noor.user).objects.filter(pk=noor.user.pk).update(is_active=False)


def part_record(noor):
    type(noor.user).objects.filter(pk=noor.user.pk).update(record=guest("somebody-else"))


@pytest.mark.parametrize("lose", [end_session, change_password, close_login, part_record])
def test_a_stream_ends_after_a_lost_right(streams, noor, lose):
    with streams.open(X_Session_Token=noor.session) as reader:
        reader.wait(lambda r: r.frames)
        lose(noor)

        reader.wait_for_end()

    assert reader.frames[-1] == ("ended", {"reason": "rights"}, None)


def test_a_stream_ends_after_its_key_is_revoked(streams):
    from customers.models import SourceKey

    with streams.follow(guest()) as reader:
        SourceKey.objects.update(revoked_at=timezone.now())

        reader.wait_for_end()

    assert reader.frames[-1].payload == {"reason": "rights"}


def test_customer_separated_from_a_household_gets_no_event_of_it(streams, noor):
    """The log reports an undone merge: the rights are checked before the event is sent."""
    with streams.open(X_Session_Token=noor.session) as reader:
        reader.wait(lambda r: r.frames)
        part_record(noor)
        store_events(noor.customer, kind="identity", name="Records Parted")
        store_events(noor.customer, name="Secret")
        reader.wait_for_end()

    assert "Secret" not in reader.names


def test_stream_of_a_merged_record_continues_on_the_canonical_one(streams):
    """An unknown visitor turns out to be Noor, and the stream follows the merged record."""
    noor = guest()
    desk = factories.sender(trusted=True)
    factories.record(
        factories.incoming_event(("email", "noor@example.com"), name="Called"), by=desk
    )
    from customers.models import Identifier

    caller = Identifier.objects.get(kind="email").customer
    with streams.follow(caller) as reader:
        factories.record(factories.identify(("user_id", "noor"), ("email", "noor@example.com")))
        caller.refresh_from_db()
        assert caller.canonical_id == noor.id
        reader.wait(lambda r: r.names.count("hello") == 2)
        store_events(noor, name="Dinner Booked")
        reader.wait(lambda r: "Dinner Booked" in r.names)

    joined = reader.frames[reader.names.index("joined")]
    assert joined.payload == {"customer": str(caller.id), "canonical": str(noor.id)}
    noor.refresh_from_db()
    assert reader.frames[-1].payload["version"] == noor.version


def test_a_stream_of_a_record_that_joined_another_says_so_first(streams):
    noor, lin = guest(), guest("lin")
    type(lin).objects.filter(pk=lin.pk).update(canonical=noor)

    with streams.follow(lin) as reader:
        reader.wait(lambda r: len(r.frames) == 2)

    assert reader.names == ["joined", "hello"]
    assert reader.frames[1].payload["customer"] == str(noor.id)


def test_event_of_a_separated_record_is_replayed_without_content(streams):
    from customers.models import Event

    noor, lin = guest(), guest("lin")
    store_events(noor, times=2)
    Event.objects.bulk_create(
        [
            Event(
                **{
                    field.attname: getattr(event, field.attname)
                    for field in Event._meta.concrete_fields
                    if field.attname not in {"customer_id", "version", "message_key", "origin_id"}
                },
                customer_id=noor.id,
                version=4,
                origin_id=lin.id,
                message_key=lin.id,
            )
            for event in Event.objects.filter(customer=lin)
        ]
    )
    type(noor).objects.filter(pk=noor.pk).update(version=4)

    with streams.follow(noor, after=0) as reader:
        reader.wait(lambda r: len(r.versions) == 4)

    assert reader.versions == [1, 2, 3, 4]
    assert reader.events[-1] == ("moved", {"version": 4, "kind": "moved"}, 4)
