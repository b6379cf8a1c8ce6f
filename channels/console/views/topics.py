"""The page of the topics, such as rides, and their statuses.

A new status may start messages to customers, as far as their preferences allow.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions.topics import StatusConflict, set_status
from butler.automations import topics
from butler.automations.topics import StatusOption, TopicStatusShape
from channels.console.forms import TopicStatusForm, first_error
from channels.console.presenters import labels
from channels.console.views import access, audit

PAGE_SIZE = 50


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
    form = TopicStatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
    elif form.cleaned_data["serial"] is None and topics.topic(form.cleaned_data["key"]):
        messages.error(request, "This topic is already in the list.")
    else:
        _save(request, form)
    return redirect("console:topics")


def _save(request: HttpRequest, form: TopicStatusForm) -> None:
    key, status = form.cleaned_data["key"], form.cleaned_data["status"]
    try:
        set_status(
            key=key,
            status=status,
            facts=form.facts,
            author_name=audit.actor(request),
            now=timezone.now(),
            expected_serial=form.cleaned_data["serial"] or 0,
        )
    except StatusConflict:
        messages.error(request, "A colleague has just set another status. Check the list.")
    else:
        name = form.facts.get("name", key)
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
        "serial": topic.serial,
        "ways": [way for way in ways if way.status != topic.status],
    }
