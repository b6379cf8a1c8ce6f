"""The decisions about messages to a customer, in English for staff."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from butler.decisions.reasons.catalog import sentence
from butler.queries import decisions as decision_queries
from butler.queries import inbox
from butler.queries.inbox import ResolvedCustomer
from channels.console.presenters import labels
from channels.pages.presenters.decisions import CatalogNames, catalog_names
from channels.pages.presenters.timeline import ReferenceNames, message_id_of
from channels.pages.time import staff_time
from customers.consent import purpose_texts
from customers.queries.shapes import EventShape


def occasions(
    customer: ResolvedCustomer, *, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the occasions to send a message, newest first, and the next cursor."""
    page = decision_queries.occasions(customer.ids, cursor=cursor, limit=limit)
    names = staff_names()
    rows = [
        {
            "name": occasion.name.get("en") or occasion.automation or "By a colleague",
            "subject": next(
                (decision.subject for decision in occasion.decisions if decision.subject), ""
            ),
            "decided_at": occasion.decided_at,
            "decisions": [_decision_row(decision, names) for decision in occasion.decisions],
        }
        for occasion in page.results
    ]
    return rows, page.next


def staff_names() -> CatalogNames:
    """Return the English names of purposes and topics."""
    return catalog_names(purpose_texts.purposes("en"), purpose_texts.topics("en"))


def reference_names(customer_id: UUID, events: Iterable[EventShape]) -> ReferenceNames:
    """Return the names that the events of a live record refer to: messages, purposes and topics."""
    message_ids = {message_id for event in events if (message_id := message_id_of(event))}
    customer = inbox.resolve_customer(customer_id) if message_ids else None
    subjects = inbox.subjects(customer.ids, message_ids, part=None) if customer else {}
    return ReferenceNames(subjects, staff_names())


def _decision_row(decision: decision_queries.DecisionShape, names: CatalogNames) -> dict[str, Any]:
    contact = msgspec.json.decode(decision.act)
    channel = str(contact.get("channel") or "")
    purpose, topic = str(contact.get("purpose") or ""), str(contact.get("topic") or "")
    facts = {
        "channel": channel,
        "purpose": names.purposes.get(purpose, purpose),
        "topic": names.topics.get(topic, topic),
        "until": staff_time(decision.until, with_weekday=True) if decision.until else "",
    }
    state = decision.state or decision.outcome
    return {
        "channel": labels.CHANNEL_NAMES.get(channel, channel),
        "state": labels.MESSAGE_STATES.get(state, state),
        "reason": sentence(decision.code, "en", facts),
    }
