"""Endpoints that read items in quarantine. The ingest API (`channels.ingest`) replays them."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from customers.access.permissions import Right
from customers.api import schema
from customers.api.base import ApiView, or_404, page_parameters, page_response, shape_response
from customers.queries import lists
from customers.queries.shapes import QuarantineShape


class QuarantineView(ApiView):
    """The items in quarantine."""

    rights: ClassVar = {"GET": Right.READ_QUARANTINE}

    @schema.describe(
        "List the items in quarantine, newest first",
        answer=schema.pages_of(QuarantineShape),
        parameters=(
            schema.query("reason", "Only items with this code, such as missing_ids"),
            schema.query("source", "Only items of the source with this name"),
            *schema.PAGING,
        ),
        tags=("quarantine",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        page = lists.quarantine(
            reason=request.GET.get("reason"),
            source=request.GET.get("source"),
            cursor=cursor,
            limit=limit,
        )
        return page_response(request, page)


class QuarantinedItemView(ApiView):
    """One item in quarantine, with the received bytes."""

    rights: ClassVar = {"GET": Right.READ_QUARANTINE}

    @schema.describe(
        "Read an item in quarantine, with the received bytes",
        answer=schema.shape(QuarantineShape),
        tags=("quarantine",),
    )
    def get(self, request: Request, item_id: int) -> HttpResponse:
        return shape_response(or_404(lists.quarantined(item_id)))
