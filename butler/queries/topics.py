"""How things are that customers care about, such as rides."""

from datetime import datetime
from typing import Any

import msgspec

from butler.models import TopicStatus
from customers.queries.pages import Page, page_of


class TopicShape(msgspec.Struct, frozen=True):
    """One topic as it is now; `serial` counts how often it changed."""

    key: str
    status: str
    facts: dict[str, Any]
    serial: int
    changed_at: datetime


def shape(topic: TopicStatus) -> TopicShape:
    return TopicShape(topic.key, topic.status, topic.facts, topic.serial, topic.changed_at)


def topics(*, cursor: str | None, limit: int) -> Page[TopicShape]:
    """Return what changed last, first."""
    by = {"changed_at": datetime, "key": str}
    return page_of(TopicStatus.objects.all(), by=by, shape=shape, cursor=cursor, limit=limit)


def topic(key: str) -> TopicShape | None:
    found = TopicStatus.objects.filter(pk=key).first()
    return shape(found) if found else None
