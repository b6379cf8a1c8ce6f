"""How things are that customers care about, such as rides."""

from datetime import datetime
from typing import Any

import msgspec

from butler.models import TopicStatus
from customers.queries.pages import Page, page_of


class TopicStatusShape(msgspec.Struct, frozen=True):
    """One topic as it is now; `serial` counts how often it changed."""

    key: str
    status: str
    facts: dict[str, Any]
    serial: int
    changed_at: datetime


def shape(topic: TopicStatus) -> TopicStatusShape:
    return TopicStatusShape(topic.key, topic.status, topic.facts, topic.serial, topic.changed_at)


def topics(*, cursor: str | None, limit: int) -> Page[TopicStatusShape]:
    """Return what changed last, first."""
    by = {"changed_at": datetime, "key": str}
    return page_of(TopicStatus.objects.all(), by=by, shape=shape, cursor=cursor, limit=limit)


def topic(key: str) -> TopicStatusShape | None:
    found = TopicStatus.objects.filter(pk=key).first()
    return shape(found) if found else None
