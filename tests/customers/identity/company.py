"""Sources of a company that send events through the wire, and what its staff see of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from customers.actions.sources import create_source, find_or_create_space
from customers.models import Identifier
from tests.wsgi_client import WsgiClient

# Hours of events count from here.
START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class WireSource:
    """A source with a secret key, in a space."""

    def __init__(
        self, name: str, channel: str = "app", *, ids: str = "main", **fields: Any
    ) -> None:
        per_person = fields.pop("per_person", "")
        self.source, self.key = create_source(
            name=name,
            channel=channel,
            is_secret=fields.pop("is_secret", True),
            space=find_or_create_space(ids, per_person),
            region="NL",
            **fields,
        )
        self.number = 0

    def event(
        self, kind: str, hour: float, user: str = "", *, name: str = "", **fields: Any
    ) -> dict[str, Any]:
        """Return one event. `traits` of a track are in its context, as in analytics libraries."""
        self.number += 1
        event: dict[str, Any] = {
            "type": kind,
            "messageId": f"{self.source.name}-{self.number}",
            "timestamp": (START + timedelta(hours=hour)).isoformat(),
        }
        if user:
            event["userId"] = user
        if name:
            event["event"] = name
        if "traits" in fields and kind == "track":
            event["context"] = {"traits": fields.pop("traits")}
        return event | fields

    def send(self, *events: dict[str, Any]) -> str:
        """Send a batch, and return its warnings as the sender gets them."""
        return self.post(*events).get("Butler-Warnings", "")

    def post(self, *events: dict[str, Any]) -> HttpResponse:
        """Send a batch, and return the answer."""
        response = WsgiClient().post(
            "/v1/batch",
            {"batch": events, "sentAt": datetime.now(UTC).isoformat()},
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert response.status_code == 200, response.content[:500]
        assert response["Butler-Quarantined"] == "0", response.content[:500]
        return response

    def identify(self, hour: float, user: str = "", **traits: Any) -> str:
        return self.send(self.event("identify", hour, user, traits=traits))

    def track(self, hour: float, user: str = "", name: str = "Ride Entered", **fields: Any) -> str:
        return self.send(self.event("track", hour, user, name=name, **fields))

    def order(self, hour: float, number: str, user: str = "", **traits: Any) -> str:
        """Send that an order was placed; `traits` name who placed it."""
        properties = {"order_id": number, "total": "10.00", "currency": "EUR"}
        return self.track(hour, user, "Order Completed", traits=traits, properties=properties)

    def account(self, user: str) -> tuple[str, str]:
        return "user_id", f"{self.source.pk}/{user}"


def email(address: str) -> tuple[str, str]:
    return "email", address


def record_of(identifier: tuple[str, str]) -> UUID | None:
    """Return the live record that an identifier leads to, in its latest period."""
    kind, value = identifier
    periods = Identifier.objects.filter(kind=kind, value=value, evidence=2)
    return periods.latest("period").customer_id


def are_one(*identifiers: tuple[str, str]) -> bool:
    """Tell whether all identifiers lead to one record."""
    records = {record_of(identifier) for identifier in identifiers}
    return len(records) == 1 and None not in records


def timeline(desk: WireSource, record_id: UUID | None) -> list[str]:
    """Return the names of the events that staff read on a record, as `event_names` does."""
    response = WsgiClient(headers={"Authorization": f"Bearer {desk.key}"}).get(
        f"/api/customers/{record_id}/timeline/"
    )
    assert response.status_code == 200, response.content[:500]
    return event_names(response.json()["results"])


def event_names(newest_first: list[dict[str, Any]]) -> list[str]:
    """Return the names of events, the earliest first, without Butler's own about merges.

    An `identify` has its kind as the name.
    """
    events = reversed(newest_first)
    return [event["name"] or event["kind"] for event in events if event["kind"] != "identity"]


def shown_identifiers(desk: WireSource, record_id: UUID | None) -> set[str]:
    """Return the values that staff see on a record."""
    response = WsgiClient(headers={"Authorization": f"Bearer {desk.key}"}).get(
        f"/api/customers/{record_id}/"
    )
    assert response.status_code == 200, response.content[:500]
    return {f"{row['kind']} {row['value']}" for row in response.json()["identifiers"]}
