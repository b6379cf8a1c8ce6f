"""What an entry of the ledger says, field by field: the document that is chained. Pure.

The fields are those of a consent record of ISO/IEC TS 27560, as far as it names them. No
customer's name or address is among them: an entry stays for good, and so do its bytes. Who of the
staff wrote it down is: the customer may ask.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from customers.consent.state import ANY
from customers.consent.statements import Speaker, Word

SCHEMA = "butler.control/1"

_STATES = {
    "consent.given": "ConsentGiven",
    "consent.refused": "ConsentRefused",
    "consent.withdrawn": "ConsentWithdrawn",
    "consent.expired": "ConsentExpired",
    "objection.made": "ObjectionMade",
    "objection.lifted": "ObjectionLifted",
}
# What a purpose says of itself, each as the company states it.
_OF_PURPOSE = ("data_categories", "processing", "recipients", "storage", "retention")


class Company(msgspec.Struct, frozen=True):
    """Who keeps the ledger."""

    name: str
    country: str
    # Where a customer takes it back: the page with every setting on it.
    withdraw_url: str


class Shown(msgspec.Struct, frozen=True):
    """The notice that a word refers to."""

    version: int
    language: str
    sha256: str


class About(msgspec.Struct, frozen=True):
    """What is known of the purpose that a word is about."""

    dpv: str = ""
    details: Mapping[str, Any] = {}


class Place(msgspec.Struct, frozen=True):
    """Where an entry stands, and for whom it was said."""

    entry_id: UUID
    record: UUID
    seq: int
    speaks_for: Sequence[UUID]
    occurred_at: datetime
    recorded_at: datetime
    # The entry on the same matter before it; empty: there was none.
    supersedes: str = ""


def document(
    word: Word, speaker: Speaker, place: Place, company: Company, about: About, shown: Shown | None
) -> dict[str, Any]:
    """Return the document of an entry; what is not said is null, never left out."""
    of = word.kind.partition(".")[0]
    return {
        "schema": SCHEMA,
        "record_id": str(place.entry_id),
        "subject_id": str(place.record),
        "seq": place.seq,
        "speaks_for": sorted(str(record) for record in place.speaks_for),
        "kind": word.kind,
        "state": _STATES.get(word.kind),
        "subject": word.subject,
        "channel": word.channel,
        "topic": word.topic,
        "value": word.value,
        "purpose": word.subject if of in ("consent", "objection") else None,
        "purpose_type": about.dpv or None,
        "lawful_basis": "consent" if of == "consent" else None,
        **{name: about.details.get(name) for name in _OF_PURPOSE},
        "privacy_notice": msgspec.to_builtins(shown) if shown else None,
        "language": word.language or (shown.language if shown else None),
        "controller": company.name,
        "jurisdiction": company.country,
        "withdraw_url": company.withdraw_url,
        "source_channel": speaker.channel,
        "actor": {"id": speaker.actor or "customer", "role": _role(word, speaker)},
        "expression": "explicit" if word.kind == "consent.given" else "expressed",
        "evidence": dict(word.evidence),
        "event_time": instant(place.occurred_at),
        "recorded_at": instant(place.recorded_at),
        "valid_until": instant(word.valid_until),
        "reask_not_before": instant(word.reask_not_before),
        "supersedes": place.supersedes or None,
    }


def _role(word: Word, speaker: Speaker) -> str:
    if word.kind == "signal.received":
        return "signal"
    if word.kind == "consent.expired":
        return "clock"
    if word.evidence.get("role") == "guardian":
        return "guardian"
    if not speaker.actor:
        return "self"
    return "staff" if speaker.actor.startswith("staff:") else "source"


def instant(moment: datetime | None) -> str | None:
    """Write a moment the one way it is written in documents: UTC, with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def event_name(kind: str) -> str:
    """Return what the event is called that is written with an entry: "Consent Withdrawn"."""
    return kind.replace(".", " ").title()


def properties(document: Mapping[str, Any]) -> dict[str, object]:
    """Return what the event says of the entry."""
    said: dict[str, object] = {"entry": document["record_id"], "subject": document["subject"]}
    if document["purpose"]:
        said["purpose"] = document["purpose"]
    if document["kind"].startswith("preference."):
        said |= {name: document[name] for name in ("channel", "topic") if document[name] != ANY}
        said["value"] = document["value"]
    return said
