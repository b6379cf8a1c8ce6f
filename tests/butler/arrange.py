"""Creates guests, purposes, topics and automations for the tests of the butler."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from butler.actions import dispatch_gate
from butler.models import Message
from customers.actions import consent
from customers.actions.changes import ChangeAuthor
from customers.consent.chain_writer import RecordedStatements
from customers.consent.statements import ConsentStatement
from customers.events import internal_sources
from customers.identity.resolution import stored_identifier
from customers.models import Customer, Notice, Purpose, Topic
from tests import factories

# A Wednesday, noon in Amsterdam, far from any quiet hour.
NOON = datetime(2027, 4, 21, 10, 0, tzinfo=UTC)
NOTICE = "May we send you offers?"
DIGEST = hashlib.sha256(NOTICE.encode()).hexdigest()
AUTHOR = ChangeAuthor(internal_sources.BUTLER)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def local(*parts: int, zone: ZoneInfo = AMSTERDAM) -> datetime:
    """Return the instant in UTC of a local year, month, day, hour and so on."""
    return datetime(*parts, tzinfo=zone).astimezone(UTC)


def vocabulary() -> None:
    """Create the purposes, notices and topics."""
    for key in ("offers", "birthdays"):
        Purpose.objects.get_or_create(key=key, defaults={"kind": "contact"})
        Notice.objects.get_or_create(
            purpose_id=key,
            version=1,
            language="en",
            defaults={"text": NOTICE, "digest": DIGEST, "published_at": NOON - timedelta(days=300)},
        )
    for key in ("orders", "visits", "rides", "offers", "birthdays", "requests"):
        Topic.objects.get_or_create(key=key)


def guest(*, email: str = "", phone: str = "", **traits) -> Customer:
    """A customer with a proved address."""
    email = email or f"guest-{uuid.uuid4().hex[:8]}@example.com"
    identifiers = [("user_id", f"guest-{uuid.uuid4()}"), ("email", email)]
    if phone:
        identifiers.append(("phone", phone))
    return factories.customer(*identifiers, email=email, **traits)


def record_statement(
    customer: Customer, kind: str, subject: str, value: object = None, **details
) -> RecordedStatements:
    """Record one consent statement of a customer."""
    if kind == "consent.given":
        details = {"notice": DIGEST, "language": "en"} | details
    statement = ConsentStatement(
        kind=kind, subject=subject, value=value, evidence={"kind": "click"}, **details
    )
    at = details.get("occurred_at", NOON - timedelta(hours=1))
    return consent.record_statements(
        customer_id=customer.id, statements=[statement], author=AUTHOR, now=at
    )


def order(customer: Customer, number: str = "", **fields) -> str:
    """Record an order of a trusted source; return its relation."""
    number = number or f"A-{uuid.uuid4().hex[:8]}"
    account = customer.identifiers.filter(kind="user_id", evidence=2)[0]
    known_as = stored_identifier(account.kind, account.value)
    fields = {"visit_date": f"{NOON:%Y-%m-%d}"} | fields
    at = NOON - timedelta(days=2)
    factories.record(factories.order(number, known_as, at=at, **fields), at=at)
    return f"order:{number}"


def message(customer: Customer, **fields) -> Message:
    """Create a waiting message, by default an offer by e-mail."""
    words = {"words": {"subject": "For you", "text": "An afternoon at Larkmoor."}}
    defaults = {
        "key": str(uuid.uuid4()),
        "customer_id": customer.id,
        "channel": "email",
        "message_class": "marketing",
        "topic": "offers",
        "purpose": "offers",
        "occurred_at": NOON - timedelta(minutes=1),
        "not_before": NOON - timedelta(minutes=1),
        "expires_at": NOON + timedelta(days=7),
        "created_at": NOON - timedelta(minutes=1),
        "state_at": NOON - timedelta(minutes=1),
        "facts": words,
    }
    if fields.get("message_class", "marketing") not in ("marketing", "relationship"):
        defaults["purpose"] = ""
    return Message.objects.create(**{**defaults, **fields})


def guest_who_consented(**fields) -> Customer:
    """Create a customer who consented to offers."""
    customer = guest(**fields)
    record_statement(customer, "consent.given", "offers")
    return customer


def claim(*, channel: str = "email", now: datetime = NOON, limit: int = 25, lease: float = 10.0):
    """Claim the due messages of a channel."""
    return dispatch_gate.claim(
        channel=channel,
        provider="sink",
        now=now,
        limit=limit,
        lease=lease,
        links=lambda outgoing: {},
    )
