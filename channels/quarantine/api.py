"""The REST view that replays one item of the quarantine."""

from typing import ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from channels.quarantine.replay import replay
from customers.access.permissions import Right
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import ApiView, encode, idempotent_response, or_404
from customers.api.problems import Problem


class Replayed(msgspec.Struct, frozen=True):
    """The customer and the version at which the replayed event is stored."""

    status: str
    customer: UUID | None
    version: int | None


class ReplayView(ApiView):
    """Replay one item of the quarantine."""

    rights: ClassVar = {"POST": Right.REPLAY}

    @schema.describe(
        "Replay an item of the quarantine",
        answer=schema.shape(Replayed),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("quarantine",),
        problems=(409,),
    )
    def post(self, request: Request, item_id: int) -> HttpResponse:
        def effect() -> StoredResponse:
            outcome = or_404(replay(item_id=item_id, now=timezone.now()))
            if outcome.status not in ("accepted", "duplicate") or outcome.reason:
                raise Problem(409, "stays", f"The item stays in quarantine: {outcome.reason}.")
            shape = Replayed(outcome.status, outcome.customer_id, outcome.version)
            return StoredResponse(200, encode(shape))

        return idempotent_response(request, effect)
