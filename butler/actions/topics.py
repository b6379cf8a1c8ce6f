"""Sets the status of topics, such as a ride, and starts the automations that tell customers."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from butler.automations.scheduling import schedule_topic_fan_outs
from butler.models import TopicStatus

# As in "ride:night-mail": a sort of thing, and which one.
KEY = re.compile(r"[a-z][a-z0-9_-]{0,30}:[A-Za-z0-9._-]{1,60}\Z", re.ASCII)
STATUS = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z", re.ASCII)


class StatusConflict(Exception):
    """The status was changed by somebody else meanwhile."""


def set_status(
    *,
    key: str,
    status: str,
    facts: Mapping[str, Any],
    author_name: str,
    now: datetime,
    expected_serial: int | None = None,
) -> TopicStatus:
    """Say how a topic is now. Only a change is an occasion: saying it again tells nobody.

    The row knows who said it last: facts["said_by"]. Who names the serial that they saw changes
    nothing that changed since: raises StatusConflict.
    """
    stored_facts = {**facts, "said_by": author_name}
    with transaction.atomic():
        topic, is_new = TopicStatus.objects.select_for_update().get_or_create(
            key=key,
            defaults={"status": status, "facts": stored_facts, "serial": 1, "changed_at": now},
        )
        if not is_new and topic.status == status:
            topic.facts = stored_facts
            topic.save(update_fields=["facts"])
            return topic
        if not is_new:
            _change_status(topic, status, stored_facts, expected_serial, now)
        schedule_topic_fan_outs(topic, now=now)
    return topic


def _change_status(
    topic: TopicStatus,
    status: str,
    facts: Mapping[str, Any],
    expected_serial: int | None,
    now: datetime,
) -> None:
    if expected_serial not in (None, topic.serial):
        raise StatusConflict
    topic.status, topic.facts, topic.changed_at = status, facts, now
    topic.serial += 1
    topic.save()
