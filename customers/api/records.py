"""Records: found by an identifier, read whole, or read event by event."""

from typing import ClassVar
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework.request import Request

from customers.access.permissions import Right, principal
from customers.api import schema
from customers.api.base import (
    ApiView,
    CustomerView,
    answer,
    found,
    log_access,
    page_wanted,
    paged,
    read_query,
)
from customers.api.problems import Problem
from customers.identity.normalize import is_kind, normalize
from customers.identity.search import LONGEST, Found, search_page
from customers.queries import lists
from customers.queries.pages import Page
from customers.queries.record import record, record_version
from customers.queries.shapes import EventShape, InteractionShape, RecordShape, SummaryShape
from customers.queries.timeline import Filter, timeline


class CustomersView(ApiView):
    """Find customers."""

    rights: ClassVar = {"GET": Right.FIND}

    @schema.describe(
        "Find customers by an identifier, or list them",
        answer=schema.pages_of(SummaryShape),
        parameters=(
            schema.query("identifier", "kind:value, such as email:noor@example.com"),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_wanted(request)
        wanted = request.GET.get("identifier")
        if wanted is None:
            page = lists.customers(cursor=cursor, limit=limit)
            log_access(request, [one.id for one in page.results], what="list")
            return paged(request, page)
        kind, value = _identifier(wanted)
        sender = principal(request).sender
        region = sender.default_region if sender else None
        normalized = normalize(kind, value, region) if is_kind(kind) else None
        if normalized is None:
            raise Problem(400, "bad-identifier", "This cannot be an identifier of anybody.")
        matches = lists.customers_by(kind, normalized)
        log_access(request, [one.id for one in matches], what="search")
        return paged(request, Page(matches))


class SearchView(ApiView):
    """People, by what is said of them."""

    rights: ClassVar = {"GET": Right.SEARCH}

    @schema.describe(
        "Search by name, phone, mail, order or card, typos allowed; the likest first",
        answer=schema.pages_of(Found),
        parameters=(
            schema.query("q", "What somebody says", {"type": "string", "maxLength": LONGEST}),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_wanted(request)
        who = principal(request)
        text = request.GET.get("q", "")
        if not 1 <= len(text) <= LONGEST:
            raise Problem(400, "invalid-query", f"q is a text of 1 to {LONGEST} characters.")
        page = search_page(
            text,
            region=(who.sender.default_region if who.sender else "") or settings.BUTLER_COUNTRY,
            today=timezone.localdate(),
            sees_addresses=who.sees_addresses(),
            cursor=cursor,
            limit=limit,
        )
        # Everybody who is shown was looked at.
        log_access(request, [one.id for one in page.results], what="search")
        return paged(request, page)


def _identifier(text: str) -> tuple[str, str]:
    kind, _, value = text.partition(":")
    if kind == "external":
        system, _, value = value.partition(":")
        kind = f"external:{system}"
    return kind, value


class RecordView(CustomerView):
    """One record."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "Read a record",
        answer=schema.shape(RecordShape),
        parameters=(
            schema.query(
                "at_least", "The version that has to be seen.", {"type": "integer", "minimum": 0}
            ),
            schema.IF_NONE_MATCH,
        ),
        also={304: ("It stands where it stood.", None)},
        problems=(409,),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        today = timezone.localdate()
        if known := request.headers.get("If-None-Match"):
            now = found(record_version(self.customer_id, today=today))
            if now.is_current and f'"{now.version}"' in _tags(known):
                return _unchanged(now.version)
        whole = found(record(self.customer_id, today=today))
        _demand(request, whole)
        response = answer(whole, version=whole.version)
        if whole.id != self.customer_id:
            # It was joined into another record, which is what there is to see.
            response["Content-Location"] = f"/api/customers/{whole.id}/"
        return response


def _tags(header: str) -> set[str]:
    # A proxy that compressed the answer made our tag a weak one; for reading that is enough.
    return {tag.removeprefix("W/") for tag in parse_etags(header)}


def _unchanged(version: int) -> HttpResponse:
    response = HttpResponse(status=304)
    response["ETag"] = f'"{version}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _demand(request: Request, whole: RecordShape) -> None:
    wanted = request.GET.get("at_least", "0")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Problem(400, "invalid-query", "at_least is a version.")
    if whole.version < int(wanted):
        raise Problem(
            409, "not-there-yet", "The record has not come so far.", version=whole.version
        )


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a timeline."""

    kind: str | None = None
    name: str | None = None
    about: str | None = None
    since: schema.Moment | None = None
    until: schema.Moment | None = None
    at_version: schema.Number | None = None
    cursor: str | None = None
    limit: str | None = None


class TimelineView(CustomerView):
    """What happened."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "Read a timeline, newest first",
        answer=schema.pages_of(EventShape),
        parameters=(
            schema.query("kind"),
            schema.query("name"),
            schema.query("about", "What it is about, such as order:A-1001"),
            schema.query("since", "Happened then or later", schema.MOMENT),
            schema.query("until", "Happened before", schema.MOMENT),
            schema.query("at_version", "As it was then", {"type": "integer", "minimum": 0}),
            *schema.PAGING,
        ),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_wanted(request)
        wanted = read_query(request, _Wanted)
        narrow = Filter(
            kind=wanted.kind,
            name=wanted.name,
            about=wanted.about,
            since=wanted.since,
            until=wanted.until,
            at_version=wanted.at_version,
        )
        page = timeline(self.customer_id, narrow=narrow, cursor=cursor, limit=limit)
        return paged(request, found(page))


class InteractionsView(CustomerView):
    """Calls, visits and chats."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List calls, visits and chats, newest first",
        answer=schema.pages_of(InteractionShape),
        parameters=schema.PAGING,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_wanted(request)
        return paged(request, lists.interactions(self.live, cursor=cursor, limit=limit))
