"""Endpoints of the statuses of topics, such as a ride that is down.

A new status can start messages to many customers, so setting it needs a separate right.
"""

from typing import Annotated, Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from butler.actions.topics import KEY, set_status
from butler.automations import topics
from butler.automations.topics import TopicStatusShape
from customers.access.permissions import Right, request_actor, request_principal
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    ApiView,
    encode,
    idempotent_response,
    or_404,
    page_parameters,
    page_response,
    read_body,
    shape_response,
)
from customers.api.problems import Problem


class NewStatus(msgspec.Struct, forbid_unknown_fields=True):
    """The new status of a topic, and facts that texts can use: {"name": "The Night Mail"}."""

    status: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_-]*$")]
    facts: dict[str, Any] = {}


class TopicsView(ApiView):
    """The list of topics."""

    rights: ClassVar = {"GET": Right.READ_TOPICS}

    @schema.describe(
        "List topics, the last changed first",
        answer=schema.pages_of(TopicStatusShape),
        parameters=schema.PAGING,
        tags=("topics",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(request, topics.topics(cursor=cursor, limit=limit))


class TopicView(ApiView):
    """One topic."""

    rights: ClassVar = {"GET": Right.READ_TOPICS, "POST": Right.SET_TOPIC}

    @schema.describe(
        "Read the status of a topic", answer=schema.shape(TopicStatusShape), tags=("topics",)
    )
    def get(self, request: Request, key: str) -> HttpResponse:
        return shape_response(or_404(topics.topic(key)))

    @schema.describe(
        "Set the status of a topic; starts the automations that notify customers",
        body=NewStatus,
        answer=schema.shape(TopicStatusShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("topics",),
    )
    def post(self, request: Request, key: str) -> HttpResponse:
        if not KEY.match(key):
            raise Problem(
                422, "bad-topic", "A topic key is a kind and a name, such as ride:night-mail."
            )
        body = read_body(request, NewStatus)

        def effect() -> StoredResponse:
            topic = set_status(
                key=key,
                status=body.status,
                facts=body.facts,
                author_name=request_actor(request) or request_principal(request).name,
                now=timezone.now(),
            )
            return StoredResponse(200, encode(topics.shape(topic)))

        return idempotent_response(request, effect)
