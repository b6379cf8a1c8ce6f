"""Calls of a telephone system, with events as the phone channel stores them."""

from datetime import timedelta

from customers.models import Source
from tests import factories
from tests.customers.identity.company import START


def call(number: str, phone: str, *, hour: float = 1, name: str = "Call Started") -> None:
    """Store an event of a call from a phone."""
    factories.record(
        factories.incoming_event(
            ("phone", phone),
            name=name,
            about=f"call:{number}",
            properties={"call_id": number, "direction": "in", "from": phone},
            at=START + timedelta(hours=hour),
        ),
        by=factories.sender(
            Source.objects.filter(name="Calls").first() or factories.source("Calls", "phone")
        ),
    )
