"""Builds the document of a ledger entry, field by field. The hash chain covers it. Pure.

The fields have the names of ISO/IEC TS 27560 for consent records, where that standard names them.
The document contains no name and no address of a customer, because Butler never changes or deletes
an entry. It names the staff member who recorded the statement, because the customer may ask for
that name.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from customers.consent.state import ANY
from customers.consent.statements import ConsentStatement, Declarant

# Signed entries and receipts hold this name, so it keeps an older word for "consent".
SCHEMA = "butler.control/1"

_STATES = {
    "consent.given": "ConsentGiven",
    "consent.refused": "ConsentRefused",
    "consent.withdrawn": "ConsentWithdrawn",
    "consent.expired": "ConsentExpired",
    "objection.made": "ObjectionMade",
    "objection.lifted": "ObjectionLifted",
}
# Fields that the company publishes for each purpose.
_PURPOSE_FIELDS = ("data_categories", "processing", "recipients", "storage", "retention")


class Company(msgspec.Struct, frozen=True):
    """The company that keeps the ledger."""

    name: str
    country: str
    # The preferences page, on which a customer withdraws a consent.
    withdraw_url: str


class ShownNotice(msgspec.Struct, frozen=True):
    """The notice that a statement refers to."""

    version: int
    language: str
    sha256: str


class PurposeTerms(msgspec.Struct, frozen=True):
    """The facts that the company published about the purpose of a statement."""

    dpv: str = ""
    details: Mapping[str, Any] = {}


class EntryPosition(msgspec.Struct, frozen=True):
    """The place of an entry on its chain, and the records that it speaks for."""

    entry_id: UUID
    record: UUID
    seq: int
    speaks_for: Sequence[UUID]
    occurred_at: datetime
    recorded_at: datetime
    # The id of the previous entry with the same key; empty if there is none.
    supersedes: str = ""


def build_document(
    statement: ConsentStatement,
    declarant: Declarant,
    position: EntryPosition,
    company: Company,
    terms: PurposeTerms,
    notice: ShownNotice | None,
) -> dict[str, Any]:
    """Return the document of an entry. A field without a value is null; it is never missing."""
    family = statement.kind.partition(".")[0]
    return {
        "schema": SCHEMA,
        "record_id": str(position.entry_id),
        "subject_id": str(position.record),
        "seq": position.seq,
        "speaks_for": sorted(str(record) for record in position.speaks_for),
        "kind": statement.kind,
        "state": _STATES.get(statement.kind),
        "subject": statement.subject,
        "channel": statement.channel,
        "topic": statement.topic,
        "value": statement.value,
        "purpose": statement.subject if family in ("consent", "objection") else None,
        "purpose_type": terms.dpv or None,
        "lawful_basis": "consent" if family == "consent" else None,
        **{name: terms.details.get(name) for name in _PURPOSE_FIELDS},
        "privacy_notice": msgspec.to_builtins(notice) if notice else None,
        "language": statement.language or (notice.language if notice else None),
        "controller": company.name,
        "jurisdiction": company.country,
        "withdraw_url": company.withdraw_url,
        "source_channel": declarant.channel,
        "actor": {"id": declarant.actor or "customer", "role": _role(statement, declarant)},
        "expression": "explicit" if statement.kind == "consent.given" else "expressed",
        "evidence": dict(statement.evidence),
        "event_time": format_instant(position.occurred_at),
        "recorded_at": format_instant(position.recorded_at),
        "valid_until": format_instant(statement.valid_until),
        "reask_not_before": format_instant(statement.reask_not_before),
        "supersedes": position.supersedes or None,
    }


def _role(statement: ConsentStatement, declarant: Declarant) -> str:
    if statement.kind == "signal.received":
        return "signal"
    if statement.kind == "consent.expired":
        return "clock"
    if statement.evidence.get("role") == "guardian":
        return "guardian"
    if not declarant.actor:
        return "self"
    return "staff" if declarant.actor.startswith("staff:") else "source"


def format_instant(moment: datetime | None) -> str | None:
    """Return a moment as documents contain it: ISO 8601 in UTC, with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def event_name(kind: str) -> str:
    """Return the name of the event that Butler writes with an entry: "Consent Withdrawn"."""
    return kind.replace(".", " ").title()


def event_properties(document: Mapping[str, Any]) -> dict[str, object]:
    """Return the properties of the event that Butler writes with an entry."""
    properties: dict[str, object] = {"entry": document["record_id"], "subject": document["subject"]}
    if document["purpose"]:
        properties["purpose"] = document["purpose"]
    if document["kind"].startswith("preference."):
        properties |= {
            name: document[name] for name in ("channel", "topic") if document[name] != ANY
        }
        properties["value"] = document["value"]
    return properties
