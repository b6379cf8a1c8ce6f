"""A stream shows the part of a record that its session opens; other events are only numbers."""

import pytest
from django.test import Client
from django.utils import timezone
from msgspec import structs

from customers.access.proof_times import note_sign_in
from customers.models import Customer, Identifier, Source, User
from tests import factories
from tests.channels.live.conftest import sign_in

pytestmark = pytest.mark.slow

# An address that processes without DEBUG accept, too.
FAMILY = ("email", "family@mail.nl")
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


def test_event_of_an_opened_call_is_read_on_every_surface(streams, sam):
    factories.record(
        factories.incoming_event(ACCOUNT, name="Call Started", about="call:A"),
        factories.incoming_event(MAILBOX, name="Call Started", about="call:B"),
    )
    viewer = sign_in(sam)
    with streams.open(X_Session_Token=viewer.session) as reader:
        factories.record(
            factories.incoming_event(MAILBOX, name="Call Ended", about="call:A"),
            factories.incoming_event(MAILBOX, name="Call Ended", about="call:B"),
        )

        assert [name for name, _ in frames_of(reader, after_frames=3)] == ["Call Ended", "moved"]


def test_claim_about_an_order_of_the_closed_part_does_not_open_its_events(streams, sam):
    app = factories.company_sender()
    factories.record(factories.order("B-2", MAILBOX, ("order", "B-2")))
    with streams.open(X_Session_Token=sign_in(sam).session) as reader:
        claim = structs.replace(
            factories.order("B-2", ("anonymous_id", "browser"), ("order", "B-2")),
            proved_identifier=(ACCOUNT[0], f"{app.source_id}/{ACCOUNT[1]}"),
        )
        factories.record(
            claim, by=factories.sender(Source.objects.get(pk=app.source_id), trusted=False)
        )
        factories.record(
            factories.order("B-2", ("order", "B-2"), name="Order Amended", visit_time="10:30")
        )

        assert [name for name, _ in frames_of(reader, after_frames=3)] == [
            "Order Completed",
            "moved",
        ]


@pytest.fixture
def family(running) -> Client:
    """Return the browser of a family, whose mailbox two accounts confirmed."""
    checked = structs.replace(factories.company_sender(), addresses="checked")
    for number in ("ann", "bram"):
        factories.record(factories.identify(("user_id", number), FAMILY), by=checked)
    mailbox = Identifier.objects.get(kind="email", value=FAMILY[1])
    browser = Client()
    browser.force_login(User.objects.create_user(FAMILY[1], record=mailbox.customer))
    return browser


def test_session_with_a_choice_is_refused_as_the_rest_api_refuses(streams, family):
    expected = family.get("/api/me/").json()
    no_ticket = family.post("/api/me/stream-ticket/")
    with streams.open(X_Session_Token=family.session.session_key) as reader:
        problem = reader.problem

    assert reader.status == expected["status"] == no_ticket.status_code == 409
    for name in ("type", "title", "detail"):
        assert problem[name] == expected[name] == no_ticket.json()[name]


def test_stream_begins_after_the_choice(streams, family):
    bram = Identifier.objects.get(value__endswith="/bram")
    assert family.post(f"/api/me/accounts/{bram.pk}/open/").status_code == 200

    with streams.open(X_Session_Token=family.session.session_key) as reader:
        factories.record(factories.incoming_event(("user_id", "ann"), name="Ride of Ann"))
        factories.record(factories.incoming_event(("user_id", "bram"), name="Ride of Bram"))
        reader.wait(lambda r: len(r.frames) > 1)

        assert reader.frames[0].payload["customer"] == str(bram.customer_id)
        assert reader.names[1:] == ["Ride of Bram"]


def test_stream_ends_when_the_session_chooses_another_account(streams, family):
    ann, bram = (Identifier.objects.get(value__endswith=f"/{name}") for name in ("ann", "bram"))
    family.post(f"/api/me/accounts/{ann.pk}/open/")
    with streams.open(X_Session_Token=family.session.session_key) as reader:
        reader.wait(lambda r: r.frames)

        family.post(f"/api/me/accounts/{bram.pk}/open/")
        reader.wait_for_end(8)
    with streams.open(X_Session_Token=family.session.session_key) as reader:
        reader.wait(lambda r: r.frames)
        assert reader.frames[0].payload["customer"] == str(bram.customer_id)


def test_stream_of_a_chosen_account_shows_nothing_after_another_session_refused_it(
    streams, running
):
    checked = structs.replace(factories.company_sender(), addresses="checked")
    for number in ("ann", "bram"):
        factories.record(factories.identify(("user_id", number), FAMILY), by=checked)
    mailbox = Identifier.objects.get(kind="email", value=FAMILY[1])
    user = User.objects.create_user(FAMILY[1], record=mailbox.customer)
    client, other = Client(), Client()
    bram = Identifier.objects.get(value__endswith="/bram").pk
    for browser in (client, other):
        browser.force_login(user)
        session = browser.session
        note_sign_in(session, timezone.now())
        session.save()
        assert browser.post(f"/api/me/accounts/{bram}/open/").status_code == 200
    with streams.open(X_Session_Token=client.session.session_key) as reader:
        factories.record(factories.incoming_event(("user_id", "bram"), name="Ride Entered"))
        frames_of(reader, after_frames=2)

        assert other.post(f"/api/me/accounts/{bram}/refuse/").status_code == 200
        factories.record(factories.incoming_event(("user_id", "bram"), name="Secret Ride"))
        reader.wait(lambda r: r.has_ended or len(r.frames) >= 4)

    assert "Ride Entered" in [frame.name for frame in reader.frames]
    assert "Secret Ride" not in [frame.name for frame in reader.frames]


def test_confirmed_mailbox_opens_its_events_in_the_open_stream(streams, sam):
    with streams.open(X_Session_Token=sign_in(sam).session) as reader:
        checked = structs.replace(factories.company_sender(), addresses="checked")
        factories.record(factories.identify(ACCOUNT, MAILBOX), by=checked)
        factories.record(factories.incoming_event(MAILBOX, name="Newsletter Opened"))

        names = [name for name, _ in frames_of(reader, after_frames=3)]
        assert names == ["identify", "Newsletter Opened"]
