"""Endpoints that find records, and read a record, its timeline and its interactions."""

from hashlib import blake2b
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.api import schema
from customers.api.base import (
    ApiView,
    CustomerView,
    log_request_access,
    or_404,
    page_parameters,
    page_response,
    read_query,
    shape_response,
    split_identifier,
)
from customers.api.order_changes import is_customer
from customers.api.problems import Problem
from customers.identity.normalize import is_kind, normalize
from customers.identity.search import MAX_TEXT_LENGTH, CustomerMatch, search_page
from customers.queries import lists
from customers.queries.pages import Page
from customers.queries.record import read_record, read_record_version
from customers.queries.shapes import EventShape, InteractionShape, RecordShape, SummaryShape
from customers.queries.timeline import TimelineFilter, timeline, timeline_by_time
from customers.types import OpenedRecord


class CustomersView(ApiView):
    """Finds customers by an identifier, or lists them."""

    rights: ClassVar = {"GET": Right.FIND_CUSTOMER}

    @schema.describe(
        "Find customers by an identifier, or list them",
        answer=schema.pages_of(SummaryShape),
        parameters=(
            schema.query("identifier", "Kind and value, such as email:noor@example.com"),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        identifier = request.GET.get("identifier")
        if identifier is None:
            page = lists.customers(cursor=cursor, limit=limit)
            log_request_access(request, [customer.id for customer in page.results], what="list")
            return page_response(request, page)
        kind, value = split_identifier(identifier)
        sender = request_principal(request).sender
        region = sender.default_region if sender else None
        normalized = normalize(kind, value, region) if is_kind(kind) else None
        if normalized is None:
            raise Problem(
                400, "bad-identifier", "identifier has to be kind:value with a valid value."
            )
        matches = lists.customers_by_identifier(kind, normalized)
        log_request_access(request, [customer.id for customer in matches], what="search")
        return page_response(request, Page(matches))


class SearchView(ApiView):
    """Searches for customers by free text."""

    rights: ClassVar = {"GET": Right.SEARCH}

    @schema.describe(
        "Search by name, phone, e-mail, order or card; tolerates typos; best matches first",
        answer=schema.pages_of(CustomerMatch),
        parameters=(
            schema.query("q", "The search text", {"type": "string", "maxLength": MAX_TEXT_LENGTH}),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        principal = request_principal(request)
        text = request.GET.get("q", "")
        if not 1 <= len(text) <= MAX_TEXT_LENGTH:
            raise Problem(
                400, "invalid-query", f"q has to be text of 1 to {MAX_TEXT_LENGTH} characters."
            )
        page = search_page(
            text,
            region=(principal.sender.default_region if principal.sender else "")
            or settings.BUTLER_COUNTRY,
            today=timezone.localdate(),
            sees_addresses=principal.can_see_addresses(),
            cursor=cursor,
            limit=limit,
        )
        log_request_access(request, [match.id for match in page.results], what="search")
        return page_response(request, page)


class RecordView(CustomerView):
    """One record."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "Read a record",
        answer=schema.shape(RecordShape),
        parameters=(
            schema.query(
                "at_least",
                "The version that the record must have reached; otherwise 409",
                {"type": "integer", "minimum": 0},
            ),
            schema.IF_NONE_MATCH,
        ),
        other_responses={304: ("The record has not changed.", None)},
        problems=(409,),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        today = timezone.localdate()
        if etags := request.headers.get("If-None-Match"):
            current = or_404(read_record_version(self.customer_id, today=today))
            if current.is_current and self._etag(current.version) in _etags(etags):
                return _not_modified(self._etag(current.version))
        shape = or_404(read_record(self.customer_id, today=today, part=self.part))
        _require_version(request, shape)
        response = shape_response(shape)
        response["ETag"] = self._etag(shape.version)
        if shape.id != self.customer_id:
            # The record in the path was merged into this record.
            response["Content-Location"] = f"/api/customers/{shape.id}/"
        return response

    def _etag(self, version: int) -> str:
        """Return the tag of a version. For a customer it also names what the session opens.

        Two sessions, or one session before and after the choice of an account, share an address.
        """
        opened = request_principal(self.request).opened
        return f'"{version}"' if opened is None else f'"{version}-{_digest(opened)}"'


def _digest(opened: OpenedRecord) -> str:
    content = (
        str(opened.live_id),
        sorted(map(str, opened.record_ids)),
        sorted(opened.listed_ids),
        opened.opened_since,
    )
    return blake2b(msgspec.json.encode(content), digest_size=6).hexdigest()


def _etags(header: str) -> set[str]:
    # A proxy that compresses the response makes the tag weak. For reading, a weak tag is enough.
    return {tag.removeprefix("W/") for tag in parse_etags(header)}


def _not_modified(etag: str) -> HttpResponse:
    response = HttpResponse(status=304)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _require_version(request: Request, shape: RecordShape) -> None:
    at_least = request.GET.get("at_least", "0")
    if not (at_least.isascii() and at_least.isdigit() and len(at_least) < 19):
        raise Problem(400, "invalid-query", "at_least has to be a version number.")
    if shape.version < int(at_least):
        raise Problem(
            409,
            "not-there-yet",
            "The record has not reached the version at_least yet.",
            version=shape.version,
        )


class _TimelineQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query parameters of a timeline."""

    kind: str | None = None
    name: str | None = None
    about: str | None = None
    since: schema.Moment | None = None
    until: schema.Moment | None = None
    at_version: schema.Number | None = None
    order: Literal["version", "time"] = "version"
    channel: str | None = None
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    cursor: str | None = None
    limit: str | None = None


class TimelineView(CustomerView):
    """The events of a customer."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "Read a timeline by version, newest first; with order=time by the time of the events",
        answer=schema.pages_of(EventShape),
        parameters=(
            schema.query("kind"),
            schema.query("name"),
            schema.query("about", "Only events about this, such as order:A-1001"),
            schema.query("since", "Only events at this time or later", schema.MOMENT),
            schema.query("until", "Only events before this time", schema.MOMENT),
            schema.query(
                "at_version", "Only events up to this version", {"type": "integer", "minimum": 0}
            ),
            schema.query(
                "order",
                "version (the default) for programs; time for pages that people read",
                {"enum": ["version", "time"], "type": "string"},
            ),
            schema.query("channel", "With order=time: only events of sources of this channel"),
            schema.query("text", "With order=time: only events that contain this text"),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        query = read_query(request, _TimelineQuery)
        is_by_time = query.order == "time"
        if not is_by_time and (query.channel or query.text):
            raise Problem(400, "invalid-query", "channel and text need order=time.")
        if is_by_time and query.at_version is not None:
            raise Problem(400, "invalid-query", "at_version needs order=version.")
        filters = TimelineFilter(
            kind=query.kind,
            name=query.name,
            about=query.about,
            since=query.since,
            until=query.until,
            at_version=query.at_version,
            channel=query.channel,
            text=query.text,
        )
        read_page = timeline_by_time if is_by_time else timeline
        page = read_page(
            self.customer_id,
            filters=filters,
            cursor=cursor,
            limit=limit,
            part=self.part,
            is_for_customer=is_customer(request),
        )
        return page_response(request, or_404(page))


class InteractionsView(CustomerView):
    """The calls, visits and chats of a customer."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List calls, visits and chats, newest first",
        answer=schema.pages_of(InteractionShape),
        parameters=schema.PAGING,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        page = lists.interactions(self.live_id, cursor=cursor, limit=limit, part=self.part)
        return page_response(request, page)
