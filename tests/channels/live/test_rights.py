"""The rights to read streams, for each kind of credential."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from channels.live import tickets
from channels.models import StreamTicket
from customers.models import AccessLogEntry
from tests.channels.live.conftest import guest, make_key, sign_in
from tests.channels.live.stream_reader import by_key

pytestmark = pytest.mark.slow


def test_a_customer_follows_their_own_record_by_token_cookie_or_ticket(streams, noor):
    ways = [
        streams.open(X_Session_Token=noor.session),
        streams.open(Cookie=f"sessionid={noor.session}"),
        streams.open(f"/live/me?ticket={noor.ticket()}"),
    ]

    for reader in ways:
        with reader:
            assert reader.status == 200
            reader.wait(lambda r: r.frames)
            assert reader.frames[0].payload["customer"] == str(noor.customer.id)


def test_ticket_is_valid_once(streams, noor):
    ticket = noor.ticket()

    with streams.open(f"/live/me?ticket={ticket}") as first:
        assert first.status == 200
    with streams.open(f"/live/me?ticket={ticket}") as second:
        assert second.status == 401


def test_ticket_expires_after_thirty_seconds(streams, noor):
    ticket = noor.ticket()
    StreamTicket.objects.update(expires_at=timezone.now() - timedelta(milliseconds=1))

    with streams.open(f"/live/me?ticket={ticket}") as reader:
        assert reader.status == 401
    assert tickets.LIFETIME.total_seconds() <= 30


def test_old_tickets_are_cleared_away(noor):
    noor.ticket()
    later = timezone.now() + timedelta(minutes=1)

    tickets.issue(session_key=noor.session, now=later)

    assert StreamTicket.objects.count() == 1


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        pytest.param("own", 200, id="by-a-right-of-their-own"),
        pytest.param("group", 200, id="by-a-right-of-their-group"),
        pytest.param("superuser", 200, id="as-superuser"),
        pytest.param("none", 404, id="without-a-right"),
    ],
)
def test_staff_follow_whom_they_may_look_at(streams, rights, status):
    noor = guest()
    sam = sign_in(None, is_staff=True, is_superuser=rights == "superuser")
    looks = Permission.objects.get(codename="view_customer")
    if rights == "own":
        sam.user.user_permissions.add(looks)
    elif rights == "group":
        sam.user.groups.add(Group.objects.get(name="desk"))

    with streams.open(f"/live/customers/{noor.id}", Cookie=f"sessionid={sam.session}") as reader:
        assert reader.status == status


@pytest.fixture
def sam(db):
    """A session of a colleague who may look at customers."""
    sam = sign_in(None, is_staff=True)
    sam.user.name = "Sam"
    sam.user.save()
    sam.user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    return sam


def looks_after_stream(streams, sam) -> list[tuple[str, str, str]]:
    noor = AccessLogEntry.objects.values_list("customer_id", flat=True).first() or guest().id
    for _ in range(2):
        with streams.open(f"/live/customers/{noor}", X_Session_Token=sam.session) as reader:
            assert reader.status == 200
    return list(AccessLogEntry.objects.order_by("id").values_list("actor", "role", "what"))


def test_stream_of_a_colleague_without_a_page_is_in_the_access_log_once(streams, sam):
    assert looks_after_stream(streams, sam) == [("staff:Sam", "staff", "stream")]


def test_stream_of_a_console_page_makes_no_second_entry_in_the_access_log(streams, sam):
    page = ("staff:Sam", "desk", "page")
    look(guest(), page, at=timezone.now())

    assert looks_after_stream(streams, sam) == [page]


@pytest.mark.parametrize(
    ("actor", "age"),
    [
        pytest.param("staff:Kim", timedelta(0), id="of-another-colleague"),
        pytest.param("staff:Sam", timedelta(minutes=11), id="of-a-while-ago"),
    ],
)
def test_stream_after_another_look_is_in_the_access_log(streams, sam, actor, age):
    page = (actor, "desk", "page")
    look(guest(), page, at=timezone.now() - age)

    assert looks_after_stream(streams, sam) == [page, ("staff:Sam", "staff", "stream")]


def look(customer, columns: tuple[str, str, str], *, at) -> None:
    actor, role, what = columns
    AccessLogEntry.objects.create(customer=customer, at=at, actor=actor, role=role, what=what)


@pytest.mark.parametrize(
    ("show", "status"),
    [
        pytest.param(dict, 401, id="nothing"),
        pytest.param(lambda: by_key("sk_unknown"), 401, id="unknown-key"),
        pytest.param(
            lambda: by_key(make_key(["read"], revoked_at=timezone.now())), 401, id="revoked-key"
        ),
        pytest.param(
            lambda: by_key(make_key(["read"], expires_at=timezone.now())), 401, id="old-key"
        ),
        pytest.param(
            lambda: by_key(make_key(["ingest", "identify"])), 403, id="key-that-may-not-read"
        ),
        pytest.param(
            lambda: by_key(make_key(["ingest"], is_secret=False)), 403, id="publishable-key"
        ),
        pytest.param(lambda: {"X-Session-Token": "made0up"}, 401, id="unknown-session"),
        pytest.param(
            lambda: {"X-Session-Token": sign_in(None).session}, 404, id="another-customer"
        ),
        pytest.param(
            lambda: {"X-Session-Token": sign_in(guest("lin"), is_active=False).session},
            401,
            id="closed-login",
        ),
    ],
)
def test_reader_without_the_right_gets_a_problem_response(streams, show, status):
    noor = guest()

    with streams.open(f"/live/customers/{noor.id}", **show()) as reader:
        problem = reader.problem

    assert reader.status == problem["status"] == status
    assert reader.answer.headers["Content-Type"] == "application/problem+json"
    # A Basic challenge would make a browser ask its user for a password.
    assert "Basic" not in reader.answer.headers.get("WWW-Authenticate", "")


def test_foreign_and_missing_record_get_the_same_answer(streams, noor):
    answers = []
    for record in (guest("lin").id, "00000000-0000-7000-8000-000000000000"):
        with streams.open(f"/live/customers/{record}", X_Session_Token=noor.session) as reader:
            answers.append((reader.status, reader.problem))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_a_login_without_a_record_has_no_stream(streams):
    with streams.open(X_Session_Token=sign_in(None).session) as reader:
        assert reader.status == 404
