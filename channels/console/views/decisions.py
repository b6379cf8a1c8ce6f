"""What was said to somebody and what was not, in words for colleagues."""

from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone

from butler.decisions.reasons.catalog import sentence
from butler.queries import decisions as decision_queries
from butler.queries.inbox import ResolvedCustomer
from channels.console.presenters import events
from channels.pages.presenters import decisions
from customers.consent import history


def occasions(
    doorway: ResolvedCustomer, *, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return what there was to say, newest first, each with its reasons; and the next cursor."""
    page = decision_queries.occasions(doorway.ids, cursor=cursor, limit=limit)
    names = decisions.names_of(history.purposes("en"), history.topics("en"))
    found = [
        {
            "name": one.name.get("en") or one.automation or "By a colleague",
            "subject": next((said.subject for said in one.decisions if said.subject), ""),
            "decided_at": one.decided_at,
            "decisions": [_decided(decision, names) for decision in one.decisions],
        }
        for one in page.results
    ]
    return found, page.next


def _decided(decision: decision_queries.DecisionShape, names: decisions.Names) -> dict[str, Any]:
    act = msgspec.json.decode(decision.act)
    channel = str(act.get("channel") or "")
    purpose, topic = str(act.get("purpose") or ""), str(act.get("topic") or "")
    named = {
        "channel": channel,
        "purpose": names.purposes.get(purpose, purpose),
        "topic": names.topics.get(topic, topic),
        "until": _moment(decision.until),
    }
    state = decision.state or decision.outcome
    return {
        "channel": events.CHANNELS.get(channel, channel),
        "state": events.BECAME.get(state, state),
        "reason": sentence(decision.code, "en", named),
    }


def _moment(until: datetime | None) -> str:
    return f"{timezone.localtime(until):%a %-d %b, %H:%M}" if until else ""
