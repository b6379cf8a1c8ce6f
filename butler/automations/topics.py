"""The topics that customers follow, such as rides, with their statuses."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from butler.automations import versions
from butler.document import OnTopic
from butler.models import AutomationVersion, TopicStatus
from customers.queries.pages import Page, read_page


class TopicStatusShape(msgspec.Struct, frozen=True):
    """The current status of one topic; `serial` counts its changes."""

    key: str
    status: str
    facts: dict[str, Any]
    serial: int
    changed_at: datetime


def shape(topic: TopicStatus) -> TopicStatusShape:
    """Return the shape of a row."""
    return TopicStatusShape(topic.key, topic.status, topic.facts, topic.serial, topic.changed_at)


def topics(*, cursor: str | None, limit: int) -> Page[TopicStatusShape]:
    """Return the topics, the last changed first."""
    by = {"changed_at": datetime, "key": str}
    return read_page(
        TopicStatus.objects.all(), order_by=by, to_shape=shape, cursor=cursor, limit=limit
    )


def topic(key: str) -> TopicStatusShape | None:
    """Return a topic by its key, or None if it has no status yet."""
    row = TopicStatus.objects.filter(pk=key).first()
    return shape(row) if row else None


# The statuses that each topic can take, even if no automation names them.
_DEFAULT_STATUSES = ("open", "down")


class StatusOption(msgspec.Struct, frozen=True):
    """A status that a topic can take, with the names of the automations that it starts."""

    status: str
    automations: tuple[str, ...] = ()


def status_options(keys: Iterable[str], *, language: str) -> dict[str, list[StatusOption]]:
    """Return the statuses that each of these topics can take, with the automations they start."""
    live = AutomationVersion.objects.filter(status="live", trigger="topic").order_by("automation")
    live_versions = versions.read(live.values_list("id", flat=True)).values()
    options = {}
    for key in keys:
        statuses: dict[str, list[str]] = {status: [] for status in _DEFAULT_STATUSES}
        for version in live_versions:
            document, trigger = version.document, version.document.trigger
            if isinstance(trigger, OnTopic) and trigger.matches(key):
                name = document.name.get(language, document.key)
                statuses.setdefault(trigger.status, []).append(name)
        options[key] = [StatusOption(status, tuple(names)) for status, names in statuses.items()]
    return options
