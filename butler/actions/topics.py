"""Sets the status of topics such as rides, and starts the automations that notify customers."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from butler.automations.scheduling import schedule_topic_fan_outs
from butler.models import TopicStatus

# The kind of topic and its name, such as "ride:night-mail".
KEY = re.compile(r"[a-z][a-z0-9_-]{0,30}:[A-Za-z0-9._-]{1,60}\Z", re.ASCII)
STATUS = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z", re.ASCII)


class StatusConflict(Exception):
    """Another caller changed the status after this caller read it."""


@transaction.atomic
def set_status(
    *,
    key: str,
    status: str,
    facts: Mapping[str, Any],
    author_name: str,
    now: datetime,
    expected_serial: int | None = None,
) -> TopicStatus:
    """Set the status of a topic and return the topic. Only a changed status starts automations.

    facts["said_by"] stores the name of the last author. Raises StatusConflict if the caller
    passes `expected_serial` and the topic changed after that serial.
    """
    columns = {"status": status, "facts": {**facts, "said_by": author_name}, "changed_at": now}
    topics = TopicStatus.objects.select_for_update()
    topic, is_new = topics.get_or_create(key=key, defaults=columns | {"serial": 1})
    if is_new or _update_status(topic, columns, expected_serial):
        schedule_topic_fan_outs(topic, now=now)
    return topic


def _update_status(
    topic: TopicStatus, columns: Mapping[str, Any], expected_serial: int | None
) -> bool:
    """Update a locked topic; return whether its status changed."""
    topic.facts = columns["facts"]
    if topic.status == columns["status"]:
        topic.save(update_fields=["facts"])
        return False
    if expected_serial not in (None, topic.serial):
        raise StatusConflict
    topic.status, topic.changed_at = columns["status"], columns["changed_at"]
    topic.serial += 1
    topic.save()
    return True
