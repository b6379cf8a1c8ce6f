"""The contact that a run decides on, and the relation that permits it. Pure."""

from butler.automations.run_state import RunMemory, RunSnapshot
from butler.due import civil_time
from butler.types import Contact


def contact_of(snapshot: RunSnapshot, memory: RunMemory, channel: str) -> Contact:
    """Return the contact through a channel; the channel is "" for a decision without a channel."""
    document = snapshot.document
    since = memory.since or snapshot.occurred_at
    return Contact(
        message_class=document.message_class,
        topic=document.topic,
        channel=channel,
        occurred_at=since,
        expires_at=since + civil_time.parse_duration(document.expires),
        purpose=document.purpose,
        relation=_relation(snapshot),
        automation=snapshot.automation,
    )


def _relation(snapshot: RunSnapshot) -> str:
    """Return the relation that permits a message, such as "order:A-1001"."""
    kind = snapshot.document.relation
    about = str(snapshot.cause.get("about", ""))
    if not kind or about.startswith(f"{kind}:"):
        return about if kind else ""
    name = {"order": "number", "visit": "date", "request": "reference"}[kind]
    reference = snapshot.context.get(kind, {}).get(name)
    return f"{kind}:{reference}" if reference else kind
