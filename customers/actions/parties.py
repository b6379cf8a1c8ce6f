"""Adds, changes and removes members of a customer's party."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from customers.actions.changes import ChangeAuthor, RecordChange, lock_name, record_changes
from customers.models import PartyMember
from customers.types import IngestOutcome


class NoSuchMember(Exception):
    """The party has no member with this reference."""


def change_member(
    *,
    customer_id: UUID,
    reference: str,
    author: ChangeAuthor,
    change: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> IngestOutcome:
    """Add a member with these fields, or change these fields of a member.

    Raises NoSuchMember if the guardian is not a member of the party.
    """
    guardian = change.get("guardian")
    if guardian and (guardian == reference or not _is_member(customer_id, str(guardian))):
        raise NoSuchMember
    properties = {"reference": reference, **change}
    return record_changes(
        customer_id=customer_id,
        author=author,
        changes=[RecordChange("Party Member Changed", f"member:{reference}", properties, now)],
        now=now,
        expected_version=expected_version,
    )


@transaction.atomic
def remove_member(
    *,
    customer_id: UUID,
    reference: str,
    author: ChangeAuthor,
    now: datetime,
    expected_version: int | None = None,
) -> IngestOutcome:
    """Remove a member from the party; raise NoSuchMember if the party has no such member."""
    lock_name(f"party {customer_id}")
    if not _is_member(customer_id, reference):
        raise NoSuchMember
    properties = {"reference": reference}
    return record_changes(
        customer_id=customer_id,
        author=author,
        changes=[RecordChange("Party Member Removed", f"member:{reference}", properties, now)],
        now=now,
        expected_version=expected_version,
    )


def _is_member(customer_id: UUID, reference: str) -> bool:
    return PartyMember.objects.filter(customer_id=customer_id, reference=reference).exists()
