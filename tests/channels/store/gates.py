"""Orders with tickets, and gates that scan them."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from customers.actions.changes import ChangeAuthor
from customers.actions.orders import OrderTarget
from customers.actions.ticket_codes import read_tickets, replace_codes
from customers.models import Order
from tests import factories
from tests.channels.wire_client import Response, send, source

# The day of the company, whose zone is ahead of UTC.
TODAY = timezone.localdate()
NOON = datetime.combine(TODAY, datetime.min.time(), UTC) - timedelta(days=2)


def day(days=0):
    return (TODAY + timedelta(days=days)).isoformat()


def gate(**facts):
    """A source of a gate, and its key."""
    return source(is_secret=True, channel="store", is_shared=True, region="NL", **facts)


LINES = [
    {"line_id": "a", "product": "day", "quantity": 2, "price": "40.00"},
    {"line_id": "b", "product": "child", "quantity": 1, "price": "20.00"},
]


def place(number="A-1", *, of="noor", by=None, name="Order Completed", at=NOON, **facts):
    """Let a source place or change an order, by default for today."""
    if name == "Order Completed":
        facts = {"visit_date": day(), "visit_time": "11:30", "lines": LINES} | facts
    identifiers = [("order", number)]
    if of:
        identifiers.insert(0, ("user_id", of))
    outcome = factories.record(
        factories.order(number, *identifiers, name=name, at=at, **facts), by=by
    ).outcomes[0]
    assert outcome.status == "accepted"
    return outcome.customer_id


def noor():
    factories.record(factories.identify(("user_id", "noor"), name="Noor"))


def holder(number="A-1"):
    return Order.objects.get(number=number).customer_id


def code_of(number="A-1", guest=""):
    tickets = read_tickets(customer_id=holder(number), number=number, now=datetime.now(UTC))
    return next(ticket.code for ticket in tickets if ticket.guest == guest)


def replace(number="A-1", guest=None):
    author = ChangeAuthor(factories.company_sender(), "staff:iris")
    target = OrderTarget(holder(number), number, author, datetime.now(UTC))
    return replace_codes(target=target, guest=guest)


def scan(web, key, code, **facts):
    """Scan a code, and return the answer."""
    return call(web, "/v1/store/scans", {"code": code, "till": "North gate"} | facts, key)


def call(web, path, body, key):
    """Send to the running server, or to the application in this process by Django's client."""
    if isinstance(web, str):
        return send(web, path, body, key=key)
    headers = {"Authorization": f"Bearer {key}"}
    answer = web.post(path, body, content_type="application/json", headers=headers)
    answer_headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(answer.status_code, answer.content, answer_headers)


def upload(web, key, *lines, device="till-3"):
    body = {"device": device, "sequence": 1, "clock": datetime.now(UTC).isoformat()}
    return call(web, "/v1/store/batches", body | {"lines": list(lines)}, key)
