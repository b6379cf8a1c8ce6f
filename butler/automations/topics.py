"""How things are that customers care about, such as rides."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from butler.automations import versions
from butler.document import OnTopic
from butler.models import AutomationVersion, TopicStatus
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


# What a topic can be where no automation asks for anything.
_USUAL = ("open", "down")


class Way(msgspec.Struct, frozen=True):
    """A status that a topic can take, and what is then told: names of automations."""

    status: str
    tells: tuple[str, ...] = ()


def ways(keys: Iterable[str], *, language: str) -> dict[str, list[Way]]:
    """Return what each of these topics can be said to be: whatever is told of it, if anything."""
    live = AutomationVersion.objects.filter(status="live", trigger="topic").order_by("automation")
    told = [one.document for one in versions.read(live.values_list("id", flat=True)).values()]
    found = {}
    for key in keys:
        statuses: dict[str, list[str]] = {status: [] for status in _USUAL}
        for document in told:
            trigger = document.trigger
            if isinstance(trigger, OnTopic) and trigger.is_about(key):
                name = document.name.get(language, document.key)
                statuses.setdefault(trigger.status, []).append(name)
        found[key] = [Way(status, tuple(names)) for status, names in statuses.items()]
    return found
