"""The events that the pure projections read, and the parsers of their fields. No Django."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo

import msgspec

from customers.types import (
    CUSTOMER_SOURCES,
    MAIN_SPACE_ID,
    STAFF_SOURCES,
    VERIFIED,
    owns_its_space,
)


class ProjectedEvent(msgspec.Struct, frozen=True):
    """One event about one subject, such as an order."""

    name: str
    occurred_at: datetime
    # customers.events.arrival
    arrival: int
    message_key: str
    evidence: int
    channel: str
    actor: str
    version: int
    properties: dict[str, object]
    source_id: int = 0
    space_id: int = MAIN_SPACE_ID
    source_name: str = ""
    is_shared: bool = False
    # Of an event that places an order: the place of its customer, by time, among the customers for whom
    # the source placed an order with the number.
    order_place: int = 1
    # The company's time zone: dates are cut from instants in it.
    zone: tzinfo = UTC

    @property
    def is_verified(self) -> bool:
        """True if the event is no claim."""
        return self.evidence == VERIFIED

    @property
    def is_by_staff(self) -> bool:
        """True if Butler or its console wrote the event."""
        return self.is_verified and self.source_name in STAFF_SOURCES

    @property
    def is_by_customer(self) -> bool:
        """True if a signed-in customer wrote the event in the portal or an app."""
        return self.source_name in CUSTOMER_SOURCES

    @property
    def is_by_owner(self) -> bool:
        """True if the source gives out the numbers of its space."""
        return owns_its_space(
            channel=self.channel, is_shared=self.is_shared, is_trusted=self.is_verified
        )

    @property
    def time_order(self) -> tuple[datetime, int, str]:
        """The sort key of events: the time of the event, then its arrival, then its message key.

        The message key decides between events that different batches brought at the same time.
        """
        return self.occurred_at, self.arrival, self.message_key

    @property
    def stated_by(self) -> str:
        """Return the actor of the event; the channel of its source if it has no actor."""
        return self.actor or self.channel


def counted_events(events: Iterable[ProjectedEvent]) -> list[ProjectedEvent]:
    """Return the events that count, by time: the verified ones, or the claims if there are no others."""
    events = list(events)
    evidence = max((event.evidence for event in events), default=0)
    counted = [event for event in events if event.evidence == evidence]
    return sorted(counted, key=lambda event: event.time_order)


def parse_text(properties: Mapping[str, object], *names: str) -> str:
    """Return the first of these fields that is text or a number, as text; empty if none is."""
    for name in names:
        value = properties.get(name)
        if type(value) is str:
            return value
        if type(value) is int or type(value) is float:
            return str(value)
    return ""


def parse_objects(value: object) -> list[dict[str, object]]:
    """Return the JSON objects of a list. Other items are left out."""
    return (
        [document for document in value if isinstance(document, dict)]
        if isinstance(value, list)
        else []
    )
