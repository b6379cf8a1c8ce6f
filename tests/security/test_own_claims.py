"""Claims of a customer's own app about objects of a closed part do not open them.

The publishable key of the app is public, and the customer has a token of the own account.
"""

import pytest
from django.utils import timezone

from customers.identity import decisions
from customers.models import Order, PartyMember
from tests.customers.identity.company import email, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.signed_in_app import SignedInApp, click

pytestmark = pytest.mark.django_db

OWN, CLOSED = "noor@mail.example.org", "quill@mail.example.org"
# The names of the events about a subject, and the property that names it.
SUBJECTS = [
    ("Order Completed", "order_id"),
    ("Order Requested", "order_id"),
    ("Order Updated", "order_id"),
    ("Order Cancelled", "order_id"),
    ("Party Member Changed", "reference"),
    ("Call Started", "call_id"),
    ("Chat Started", "chat_id"),
    ("Visit Started", "visit_id"),
]
PLACED = {"Order Requested", "Order Updated", "Order Cancelled"}
PATHS = ("", "timeline/?limit=200", "orders/", "orders/quill-1/", "orders/quill-1/history/")
PATHS += ("party/", "requests/", "interactions/", "identifiers/", "merges/", "messages/")


def send_subject(app: SignedInApp, hour: int, user: str, name: str, key: str) -> None:
    """Send from the server that a customer has a subject, with a text of this customer alone."""
    name = "Order Completed" if name in PLACED else name
    properties = {key: f"{user}-1", "name": f"secret of {user}", "note": f"secret of {user}"}
    app.server.track(hour, user, name, properties=properties)


@pytest.fixture
def app() -> SignedInApp:
    """Return an app with two customers, whom staff joined."""
    app = SignedInApp(addresses="checked")
    for hour, (user, box) in enumerate((("noor", OWN), ("quill", CLOSED)), start=1):
        app.server.identify(hour, user, email=box)
    decisions.merge_records(
        record_of(email(OWN)), record_of(email(CLOSED)), actor="staff:lin", now=timezone.now()
    )
    return app


def shown(session: SignedIn) -> str:
    return "\n".join(session.get(path).content.decode() for path in PATHS)


@pytest.mark.parametrize(("name", "key"), SUBJECTS)
@pytest.mark.parametrize("proof", ["session", "identity token"])
def test_claim_about_an_object_of_a_closed_part_does_not_open_it(app, proof, name, key):
    send_subject(app, 10, "noor", name, key)
    send_subject(app, 11, "quill", name, key)
    session = SignedIn(OWN)
    token = app.token("noor") if proof == "identity token" else None
    headers = {"X-Session-Token": session.token} if proof == "session" else {}

    app.post(click(token, event=name, properties={key: "quill-1", "name": "x"}), headers=headers)

    text = shown(session)
    assert "secret of noor" in text
    assert "secret of quill" not in text


def test_claim_about_an_object_that_was_only_claimed_elsewhere_does_not_open_it(app):
    session = SignedIn(OWN)
    properties = {"order_id": "quill-1", "name": "secret of quill"}
    app.post(click(app.token("quill"), event="Order Completed", properties=properties))

    app.post(
        click(event="Order Completed", properties={"order_id": "quill-1"}),
        headers={"X-Session-Token": session.token},
    )

    assert "secret of quill" not in shown(session)


def test_claim_changes_no_object_of_a_closed_part(app):
    send_subject(app, 10, "quill", "Order Completed", "order_id")
    send_subject(app, 11, "quill", "Party Member Changed", "reference")
    before = [Order.objects.values().get(), PartyMember.objects.values().get()]

    for name, key in (*SUBJECTS, ("Party Member Removed", "reference")):
        app.post(click(app.token("noor"), event=name, properties={key: "quill-1", "name": "x"}))

    after = [Order.objects.values().get(), PartyMember.objects.values().get()]
    assert after == before


def test_own_claim_is_shown_to_its_customer(app):
    session = SignedIn(OWN)

    app.post(
        click(event="Order Completed", properties={"order_id": "noor-1"}),
        headers={"X-Session-Token": session.token},
    )

    assert session.orders() == ["noor-1"]
