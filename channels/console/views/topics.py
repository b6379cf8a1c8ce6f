"""The page of the topics, such as rides, and their statuses.

A new status may start messages to customers, as far as their preferences allow.
"""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions.topics import KEY, STATUS, StatusConflict, set_status
from butler.automations import topics
from butler.automations.topics import StatusOption, TopicStatusShape
from channels.console.presenters import labels
from channels.console.views import access, audit

PAGE_SIZE = 50
# The largest length of a name or a reason, in characters.
_TEXT_LENGTH = 200
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", re.ASCII)


@require_safe
@access.page("butler.view_topicstatus")
def list_topics(request: HttpRequest) -> HttpResponse:
    """List the topics, the last changed first."""
    page = topics.topics(cursor=request.GET.get("cursor") or None, limit=PAGE_SIZE)
    ways = topics.status_options([topic.key for topic in page.results], language="en")
    context = {
        "topics": [_topic_row(topic, ways[topic.key]) for topic in page.results],
        "next": page.next,
        "section": "topics",
    }
    return render(request, "console/topics.html", context)


@require_POST
@access.page("butler.change_topicstatus")
def set_topic_status(request: HttpRequest) -> HttpResponse:
    """Set the status of a topic."""
    key, status = request.POST.get("key", ""), request.POST.get("status", "")
    shown_serial, until = request.POST.get("seen", ""), request.POST.get("until", "")
    if not KEY.match(key):
        messages.error(
            request, "The key is not valid. Enter a kind and a name, such as ride:night-mail."
        )
    elif not STATUS.match(status):
        messages.error(
            request,
            "The status is not valid. Enter one word in small letters, such as open or down.",
        )
    elif until and not _CLOCK.match(until):
        messages.error(request, "The time is not valid. Enter a time such as 15:30.")
    elif not shown_serial.isdecimal() and topics.topic(key):
        messages.error(request, "This topic is already in the list.")
    else:
        _save(request, key, status, int(shown_serial[:18]) if shown_serial.isdecimal() else 0)
    return redirect("console:topics")


def _save(request: HttpRequest, key: str, status: str, shown_serial: int) -> None:
    facts = {
        name: text
        for name in ("name", "reason", "until")
        if (text := request.POST.get(name, "").replace("\x00", "").strip()[:_TEXT_LENGTH])
    }
    try:
        set_status(
            key=key,
            status=status,
            facts=facts,
            author_name=audit.actor(request),
            now=timezone.now(),
            expected_serial=shown_serial,
        )
    except StatusConflict:
        messages.error(request, "A colleague has just set another status. Check the list.")
    else:
        name = facts.get("name", key)
        messages.success(
            request,
            f"{name} is {status}. Butler notifies the customers whom it concerns, if their preferences allow it.",
        )


def _topic_row(topic: TopicStatusShape, ways: list[StatusOption]) -> dict[str, Any]:
    facts = topic.facts
    return {
        "key": topic.key,
        "name": str(facts.get("name") or topic.key),
        "status": topic.status,
        "is_well": topic.status == "open",
        "reason": str(facts.get("reason") or ""),
        "until": str(facts.get("until") or ""),
        "by": labels.actor_name(str(facts.get("said_by") or "")),
        "at": topic.changed_at,
        "seen": topic.serial,
        "ways": [way for way in ways if way.status != topic.status],
    }
