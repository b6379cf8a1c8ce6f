"""How rides are, and saying that it has changed: those concerned are told, as they allow."""

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
from channels.console.presenters import events
from channels.console.views import access, audit

SHOWN = 50
# What is said of a status, and is over with it; the name is the topic's own.
_LONGEST = 200
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", re.ASCII)


@require_safe
@access.page("butler.view_topicstatus")
def listing(request: HttpRequest) -> HttpResponse:
    """List how everything is, what changed last first."""
    page = topics.topics(cursor=request.GET.get("cursor") or None, limit=SHOWN)
    ways = topics.status_options([one.key for one in page.results], language="en")
    shown = {
        "topics": [_shown(one, ways[one.key]) for one in page.results],
        "next": page.next,
        "here": "topics",
    }
    return render(request, "console/topics.html", shown)


@require_POST
@access.page("butler.change_topicstatus")
def say(request: HttpRequest) -> HttpResponse:
    """Say how one of them is now."""
    key, status = request.POST.get("key", ""), request.POST.get("status", "")
    seen, until = request.POST.get("seen", ""), request.POST.get("until", "")
    if not KEY.match(key):
        messages.error(request, "A topic is a sort and a name, such as ride:night-mail.")
    elif not STATUS.match(status):
        messages.error(request, "Say how it is in one small word, such as open or down.")
    elif until and not _CLOCK.match(until):
        messages.error(request, "Say until when as a time, such as 15:30.")
    elif not seen.isdecimal() and topics.topic(key):
        messages.error(request, "It is in the list already.")
    else:
        _say(request, key, status, int(seen[:18]) if seen.isdecimal() else 0)
    return redirect("console:topics")


def _say(request: HttpRequest, key: str, status: str, seen: int) -> None:
    facts = {
        name: said
        for name in ("name", "reason", "until")
        if (said := request.POST.get(name, "").replace("\x00", "").strip()[:_LONGEST])
    }
    try:
        set_status(
            key=key,
            status=status,
            facts=facts,
            author_name=audit.actor(request),
            now=timezone.now(),
            expected_serial=seen,
        )
    except StatusConflict:
        messages.error(request, "A colleague said something else of it just now. Look again.")
    else:
        named = facts.get("name", key)
        messages.success(request, f"{named} is {status}. Those concerned are told, as they allow.")


def _shown(topic: TopicStatusShape, ways: list[StatusOption]) -> dict[str, Any]:
    facts = topic.facts
    return {
        "key": topic.key,
        "name": str(facts.get("name") or topic.key),
        "status": topic.status,
        "is_well": topic.status == "open",
        "reason": str(facts.get("reason") or ""),
        "until": str(facts.get("until") or ""),
        "by": events.actor(str(facts.get("said_by") or "")),
        "at": topic.changed_at,
        "seen": topic.serial,
        "ways": [one for one in ways if one.status != topic.status],
    }
