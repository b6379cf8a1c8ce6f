"""The addresses that their holders refused, for the sources that named them."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from django.db.models import Q
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.api import schema
from customers.api.base import ApiView, log_request_access, page_parameters, page_response
from customers.models import AddressRefusal, Identifier
from customers.queries.pages import Page, read_page
from customers.types import VERIFIED


class AddressRefusalShape(msgspec.Struct, frozen=True):
    """An address that is not the one of these accounts. Their source has to ask for another one."""

    id: int
    kind: str
    address: str
    accounts: tuple[str, ...]
    refused_at: datetime


class AddressRefusalsView(ApiView):
    """The refused addresses: a key reads those that its source named; staff who may see addresses read all."""

    rights: ClassVar = {"GET": Right.READ_SOURCES}

    @schema.describe(
        "List the addresses that their holders refused by the link “Not mine”, the newest first",
        answer=schema.pages_of(AddressRefusalShape),
        parameters=schema.PAGING,
        tags=("addresses",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        principal = request_principal(request)
        if not principal.can_see_addresses():
            raise exceptions.PermissionDenied
        sender = principal.sender
        rows = AddressRefusal.objects.filter(undone_at=None)
        if sender:
            rows = rows.filter(source_ids__contains=[sender.source_id])
        source = f"{sender.source_id}/" if sender else ""
        page = read_page(
            rows,
            order_by={"id": int},
            to_shape=lambda row: row,
            cursor=cursor,
            limit=limit,
        )
        log_request_access(request, _customers(page.results), what="addresses")
        shapes = [_shape(row, source) for row in page.results]
        return page_response(request, Page(shapes, page.next, page.previous))


def _customers(rows: Iterable[AddressRefusal]) -> set[UUID]:
    """Return the live records that have the refused addresses, and those of the accounts."""
    of_rows = Q()
    for row in rows:
        of_rows |= Q(pk__in=row.holder_ids) | Q(kind=row.kind, value=row.address, evidence=VERIFIED)
    if not of_rows:
        return set()
    identifiers = Identifier.objects.filter(of_rows, customer__isnull=False, erasure=None)
    return set(identifiers.values_list("customer_id", flat=True))


def _shape(row: AddressRefusal, source: str) -> AddressRefusalShape:
    """Return a refusal with the numbers of a source; an empty `source` means all."""
    numbers = Identifier.objects.filter(
        pk__in=row.holder_ids, kind="user_id", value__startswith=source
    ).values_list("value", flat=True)
    accounts = sorted(number.partition("/")[2] for number in numbers) if row.has_account else ()
    return AddressRefusalShape(row.pk, row.kind, row.address, tuple(accounts), row.refused_at)
