"""A stream shows the part of a record that its session opens; other events are only numbers."""

import pytest
from msgspec import structs

from customers.models import Customer
from tests import factories
from tests.channels.live.conftest import sign_in

pytestmark = pytest.mark.slow

ACCOUNT, MAILBOX = ("user_id", "sam"), ("email", "sam@mail.example.org")


@pytest.fixture
def sam(running) -> Customer:
    """Return the record of an account that states a mailbox, which nobody proved."""
    return factories.customer(ACCOUNT, MAILBOX)


def frames_of(reader, *, after_frames: int) -> list[tuple[str, int]]:
    """Return the name and the version of each frame after the first one."""
    reader.wait(lambda r: len(r.frames) >= after_frames)
    return [(frame.name, frame.payload["version"]) for frame in reader.frames[1:]]


def test_session_of_an_account_reads_no_event_of_its_unproved_mailbox(streams, sam):
    with streams.open(X_Session_Token=sign_in(sam).session) as reader:
        factories.record(factories.incoming_event(ACCOUNT, name="Ride Entered"))
        factories.record(factories.incoming_event(MAILBOX, name="Newsletter Opened"))

        assert [name for name, _ in frames_of(reader, after_frames=3)] == ["Ride Entered", "moved"]


def test_event_of_an_opened_order_is_read_also_if_it_names_the_order_alone(streams, sam):
    factories.record(factories.order("A-1", ACCOUNT, ("order", "A-1")))
    factories.record(factories.order("B-2", MAILBOX, ("order", "B-2")))
    with streams.open(X_Session_Token=sign_in(sam).session) as reader:
        for number in ("A-1", "B-2"):
            factories.record(
                factories.order(number, ("order", number), name="Order Amended", visit_time="10:30")
            )

        assert [name for name, _ in frames_of(reader, after_frames=3)] == ["Order Amended", "moved"]


def test_confirmed_mailbox_opens_its_events_in_the_open_stream(streams, sam):
    with streams.open(X_Session_Token=sign_in(sam).session) as reader:
        checked = structs.replace(factories.company_sender(), addresses="checked")
        factories.record(factories.identify(ACCOUNT, MAILBOX), by=checked)
        factories.record(factories.incoming_event(MAILBOX, name="Newsletter Opened"))

        names = [name for name, _ in frames_of(reader, after_frames=3)]
        assert names == ["identify", "Newsletter Opened"]
