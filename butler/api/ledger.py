"""Endpoints of the ledger: its entries, its export and the receipts of its entries."""

from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from msgspec import UNSET, UnsetType
from rest_framework.request import Request

from butler.api.statements import TAG, StatementView
from customers.access.permissions import Right
from customers.api import schema
from customers.api.base import or_404, page_parameters, page_response
from customers.consent import ledger_export
from customers.queries.consent_shapes import LedgerEntryShape


class Receipt(msgspec.Struct, frozen=True):
    """A ledger entry with its place on the hash chain, and a signature over both."""

    schema: str
    record: UUID
    seq: int
    previous: str
    digest: str
    document: dict[str, Any]
    key_id: str
    signature: str


class LedgerLink(msgspec.Struct, frozen=True):
    """A link of a hash chain: a receipt, or only the place of an entry that the reader may not read."""

    record: UUID
    seq: int
    previous: str
    digest: str
    schema: str | UnsetType = UNSET
    document: dict[str, Any] | UnsetType = UNSET
    key_id: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET


class LedgerExport(msgspec.Struct, frozen=True):
    """The whole ledger of a customer: the hash chain of each record."""

    schema: str
    chains: list[list[LedgerLink]]


class LedgerView(StatementView):
    """The entries of the ledger."""

    rights: ClassVar = {"GET": Right.READ_CONSENTS}

    @schema.describe(
        "List the entries of the ledger, newest first",
        answer=schema.pages_of(LedgerEntryShape),
        parameters=schema.PAGING,
        tags=TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(
            request,
            ledger_export.ledger_entries(self.live_id, cursor=cursor, limit=limit, part=self.part),
        )


class ExportView(StatementView):
    """The whole ledger as a file that can be verified."""

    rights: ClassVar = {"GET": Right.READ_CONSENTS}

    @schema.describe(
        "Download the whole ledger with the receipt of every entry",
        answer=schema.shape(LedgerExport),
        tags=TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        return _download(ledger_export.export_ledger(self.live_id, part=self.part), "ledger.json")


class ReceiptView(StatementView):
    """The receipt of one entry."""

    rights: ClassVar = {"GET": Right.READ_CONSENTS}

    @schema.describe(
        "Download the signed receipt of an entry", answer=schema.shape(Receipt), tags=TAG
    )
    def get(
        self, request: Request, entry_id: UUID, customer_id: UUID | None = None
    ) -> HttpResponse:
        receipt = or_404(ledger_export.receipt(self.live_id, entry_id, part=self.part))
        return _download(receipt, f"receipt-{entry_id}.json")


def _download(body: bytes, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
