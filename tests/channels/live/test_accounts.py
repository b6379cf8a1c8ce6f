"""Streams of readers that proved one account: front ends by identity token, servers by key."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.utils import timezone

from customers.actions import erasure
from customers.actions.identity_secrets import add_identity_secret
from customers.actions.sources import add_key
from customers.identity import decisions
from customers.identity.links import DecisionKind
from customers.models import AccessLogEntry, Identifier, Source, SourceKey
from tests.channels.live.stream_reader import by_key
from tests.customers.identity.company import WireSource
from tests.identity_tokens import sign
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.slow

BOX = "noor@mail.example.org"


class Shop(WireSource):
    """A shop with the account of Noor, whose mailbox it states."""

    def __init__(self) -> None:
        super().__init__("Shop", "server", ids="shop")
        self.identify(1, "noor", email=BOX)
        self.secret = add_identity_secret(source_id=self.source.pk)
        self.reading_key = add_key(source=self.source, is_secret=True, scopes=["read-for"])

    def token(self, number: str = "noor", **claims) -> dict[str, str]:
        return {"X-Identity-Token": sign(self.source, self.secret, number, **claims)}

    def server(self, number: str = "noor") -> dict[str, str]:
        return {**by_key(self.reading_key), "Butler-For": number}

    @property
    def record(self) -> str:
        return str(Identifier.objects.get(value__endswith="/noor").customer_id)


WAYS = {"token": Shop.token, "server": Shop.server}


@pytest.fixture
def shop(running) -> Shop:
    return Shop()


@pytest.fixture(params=WAYS)
def way(request, shop) -> dict[str, str]:
    """Return the headers of each reader of Noor's account."""
    return WAYS[request.param](shop)


def open_stream(streams, headers, path: str = "/live/me"):
    return streams.open(path, **{name.replace("-", "_"): text for name, text in headers.items()})


def names(reader, *, frames: int) -> list[str]:
    reader.wait(lambda r: len(r.frames) > frames)
    return [frame.name for frame in reader.frames[1:]]


def test_account_reads_its_own_events_and_not_those_of_its_stated_mailbox(streams, shop, way):
    with open_stream(streams, way) as reader:
        shop.order(2, "OF-ACCOUNT", "noor")
        shop.order(3, "OF-MAILBOX", "", email=BOX)

        assert names(reader, frames=2) == ["Order Completed", "moved"]
        assert reader.frames[0].payload["customer"] == shop.record
        assert "OF-MAILBOX" not in str(reader.frames)


def test_confirmed_mailbox_opens_while_the_stream_is_open(streams, shop, way):
    with open_stream(streams, way) as reader:
        reader.wait(lambda r: r.frames)
        shop.identify(2, "noor", email=BOX, email_verified=True)
        shop.order(3, "OF-MAILBOX", "", email=BOX)
        reader.wait(lambda r: "Order Completed" in [frame.name for frame in r.frames])

        assert "OF-MAILBOX" in str(reader.frames)


def test_separated_mailbox_closes_while_the_stream_is_open(streams, shop, way):
    shop.identify(2, "noor", email=BOX, email_verified=True)
    account = Identifier.objects.get(value__endswith="/noor")
    mailbox = Identifier.objects.get(value=BOX)
    with open_stream(streams, way) as reader:
        reader.wait(lambda r: r.frames)
        decisions.decide(
            DecisionKind.SEPARATE, account.pk, mailbox.pk, actor="staff:Sam", now=timezone.now()
        )
        shop.order(3, "OF-MAILBOX", "", email=BOX)
        shop.order(4, "OF-ACCOUNT", "noor")
        reader.wait(lambda r: r.has_ended or "Order Completed" in [f.name for f in r.frames])

        assert "OF-MAILBOX" not in str(reader.frames)


def test_account_opens_no_stream_of_a_named_record(streams, shop, way):
    shop.identify(5, "els", email="els@mail.example.org")
    els = Identifier.objects.get(value__endswith="/els").customer_id

    for record in (els, shop.record):
        with open_stream(streams, way, f"/live/customers/{record}") as reader:
            assert reader.status == 404


def test_erasure_ends_the_stream(streams, shop, way):
    with open_stream(streams, way) as reader:
        reader.wait(lambda r: r.frames)
        erasure.erase(
            customer_id=shop.record, reason="asked", actor="staff:pia", now=timezone.now()
        )

        reader.wait_for_end(8)
    with open_stream(streams, way) as reader:
        assert reader.status == 404


REFUSED = {
    "not a token": lambda shop, other: {"X-Identity-Token": "x"},
    "no source": lambda shop, other: {"X-Identity-Token": sign(Source(pk=99999), "s" * 40, "noor")},
    "wrong signature": lambda shop, other: {
        "X-Identity-Token": sign(shop.source, other.secret, "noor")
    },
    "expired": lambda shop, other: shop.token(
        iat=datetime.now(UTC) - timedelta(minutes=50), exp=datetime.now(UTC) - timedelta(minutes=5)
    ),
    "longer than an hour": lambda shop, other: shop.token(
        exp=datetime.now(UTC) + timedelta(days=1)
    ),
    "number of another source": lambda shop, other: {
        "X-Identity-Token": sign(other.source, other.secret, "noor")
    },
    "number that nobody has": lambda shop, other: shop.token("nobody"),
    "address": lambda shop, other: shop.token(BOX),
    "server for nobody": lambda shop, other: shop.server("nobody"),
    "server for an address": lambda shop, other: shop.server(BOX),
    "key without the scope": lambda shop, other: {
        **by_key(add_key(source=shop.source, is_secret=True, scopes=["read"])),
        "Butler-For": "noor",
    },
}


@pytest.fixture
def other(running) -> WireSource:
    other = WireSource("Other", "server", ids="other")
    other.secret = add_identity_secret(source_id=other.source.pk)
    return other


@pytest.mark.parametrize("case", REFUSED)
def test_stream_is_refused_as_the_rest_api_refuses(streams, shop, other, case):
    headers = REFUSED[case](shop, other)
    expected = WsgiClient(headers=headers).get("/api/me/")

    with open_stream(streams, headers) as reader:
        assert reader.status == expected.status_code
        if expected.status_code != 404:
            assert reader.problem["detail"] == expected.json()["detail"]


def test_stream_ends_with_its_token(streams, shop):
    now = datetime.now(UTC)
    token = shop.token(iat=now, exp=now + timedelta(seconds=3))

    with open_stream(streams, token) as reader:
        reader.wait(lambda r: r.frames)
        assert not reader.has_ended
        reader.wait_for_end(8)

    assert reader.frames[-1].name == "ended"


def test_stream_ends_when_the_secret_of_its_token_is_removed(streams, shop):
    with open_stream(streams, shop.token()) as reader:
        reader.wait(lambda r: r.frames)
        Source.objects.filter(pk=shop.source.pk).update(identity_secrets=["another" * 8])

        reader.wait_for_end(8)


def test_stream_ends_when_the_key_of_its_server_is_revoked(streams, shop):
    with open_stream(streams, shop.server()) as reader:
        reader.wait(lambda r: r.frames)
        SourceKey.objects.filter(source=shop.source.pk).update(revoked_at=timezone.now())

        reader.wait_for_end(8)


def test_look_of_a_server_is_in_the_access_log(streams, shop):
    with open_stream(streams, shop.server()) as reader:
        reader.wait(lambda r: r.frames)

    [look] = AccessLogEntry.objects.filter(customer_id=shop.record)
    assert (look.actor, look.role, look.what) == ("source:Shop", "api", "stream")


def ticket(headers) -> str:
    answer = WsgiClient(headers=headers).post("/api/me/stream-ticket/")
    assert answer.status_code == 201, answer.content
    return msgspec.json.decode(answer.content)["ticket"]


def test_ticket_opens_one_stream_of_the_account(streams, shop, way):
    path = f"/live/me?ticket={ticket(way)}"

    with streams.open(path) as reader:
        shop.order(2, "OF-ACCOUNT", "noor")
        shop.order(3, "OF-MAILBOX", "", email=BOX)
        assert names(reader, frames=2) == ["Order Completed", "moved"]
    with streams.open(path) as reader:
        assert reader.status == 401


def test_stream_of_a_ticket_ends_with_its_token(streams, shop):
    now = datetime.now(UTC)
    path = f"/live/me?ticket={ticket(shop.token(iat=now, exp=now + timedelta(seconds=3)))}"

    with streams.open(path) as reader:
        reader.wait(lambda r: r.frames)
        reader.wait_for_end(8)


def test_ticket_of_a_revoked_key_opens_nothing(streams, shop):
    path = f"/live/me?ticket={ticket(shop.server())}"
    SourceKey.objects.filter(source=shop.source.pk).update(revoked_at=timezone.now())

    with streams.open(path) as reader:
        assert reader.status == 401


def test_account_that_nobody_named_gets_no_ticket(shop):
    answer = WsgiClient(headers=shop.token("nobody")).post("/api/me/stream-ticket/")

    assert answer.status_code == 404
