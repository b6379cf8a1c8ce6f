"""Reads a customer's pages: messages, reasons, and the access log."""

import uuid
from datetime import timedelta
from urllib.parse import quote

from django.utils import timezone

from butler.models import Message
from customers.models import AccessLogEntry, Customer
from examples.themepark import people
from tests import factories

PAGES = (
    "/",
    "/orders/",
    "/inbox/",
    "/preferences/",
    "/receipts/",
    "/why/",
    "/why/access-log/",
)


def noor() -> Customer:
    record = people.noor().record
    assert record
    return record.canonical or record


def fill(of: Customer) -> None:
    """Create messages, decisions and access log entries."""
    now = timezone.now()
    for minutes, (subject, facts) in enumerate(
        (
            ("Your visit is in two days", {}),
            (
                "Night Mail is open again",
                {"channel": "sms", "state": "uncertain", "topic": "rides"},
            ),
            ("Your order LK-2041", {"channel": "email", "state": "delivered"}),
            ("A price that was wrong", {"state": "withdrawn"}),
        )
    ):
        at = now - timedelta(minutes=40 * minutes + 5)
        run = uuid.uuid4()
        message = factories.message(of, at=at, subject=subject, run_id=run, **facts)
        act = {"channel": message.channel, "topic": message.topic}
        factories.decision(
            of, at=at, run_id=run, message_id=message.pk, code="relation_live", act=act
        )
        factories.decision(
            of,
            at=at - timedelta(seconds=1),
            run_id=run,
            outcome="skip",
            code="channel_off",
            act={"channel": "phone", "topic": message.topic},
        )
    factories.decision(
        of,
        at=now - timedelta(hours=5),
        outcome="skip",
        code="no_consent",
        act={"channel": "email", "topic": "offers", "purpose": "offers"},
    )
    until = now + timedelta(hours=7)
    factories.decision(of, at=now, outcome="defer", code="quiet_hours", until=until)
    for actor, what, why in (("staff:Sam", "page", "call"), ("staff:Iris", "order", "visit")):
        AccessLogEntry.objects.create(
            customer=of, at=now, actor=actor, role="desk", what=what, reason=why
        )


def look(of: Customer, **fields: str) -> None:
    AccessLogEntry.objects.create(customer=of, at=timezone.now(), **fields)


def newest_message(of: Customer) -> Message:
    return Message.objects.filter(customer_id=of.pk, state="accepted").latest("created_at")


def quoted(number: str) -> str:
    return quote(number, safe="")
