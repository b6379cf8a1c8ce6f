"""Helpers that place orders for Noor and read pages of the console."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests import factories

ADDRESS = ("email", "noor@example.com")


def order(number: str = "LK-1", **facts) -> None:
    order_properties = {
        "name": "Lantern Night",
        "visit_date": (timezone.localdate() + timedelta(days=9)).isoformat(),
        "currency": "EUR",
        "lines": [
            {"line_id": "a", "name": "Day ticket", "quantity": 2, "price": "34.50"},
            {"line_id": "b", "name": "Parking", "quantity": 1, "price": "12.50"},
        ],
        **facts,
    }
    now = timezone.now()
    factories.record(
        factories.incoming_event(
            ADDRESS,
            ("order", number),
            name="Order Completed",
            about=f"order:{number}",
            properties=order_properties,
            at=now,
        ),
        at=now,
    )


def page_of(client: Client, path: str) -> str:
    response = client.get(f"/console/{path}")
    assert response.status_code == 200, response.content[:300]
    return response.content.decode()
