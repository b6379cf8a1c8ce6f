"""Takes an address off a record because its holder says that it is not theirs, and tells the sources.

The address of an account comes off by a separation, which no repetition of a source undoes; staff can.
Without an account, the messages about the orders so far stop.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.actions.internal_events import append_internal_event
from customers.db import retry
from customers.db.advisory_locks import take_advisory_locks
from customers.events import source_warnings
from customers.identity import decisions
from customers.identity.families import is_number
from customers.identity.links import DecisionKind
from customers.models import (
    AddressRefusal,
    Customer,
    Event,
    Evidence,
    Identifier,
    Link,
    LinkKind,
    LinkState,
    ManualDecision,
)
from customers.types import BUTLER_SOURCE_ID, NOTED, OPENED, IngestWarning

# The code of the warning for the sources.
NOT_MINE = "address_not_mine"
RECIPIENT, REASON = "recipient", "Not mine"
REFUSED_EVENT = "Address Refused"
# A record has few accounts. The limits keep a made-up record from costing much.
_MAX_ACCOUNTS = 50
_MAX_SOURCES = 20


class _NamedAddress(NamedTuple):
    """An address, the accounts of a record, and the current links between them."""

    live_id: UUID
    address: Identifier
    accounts: Sequence[Identifier]
    links: Sequence[Link]

    @property
    def is_confirmed(self) -> bool:
        """True if its holder proved that it is the address of this record."""
        if self.accounts:
            return any(link.evidence >= OPENED for link in self.links)
        is_proved = (self.address.best_evidence or 0) >= OPENED
        return is_proved or self.address.proved_at is not None

    @property
    def stating_accounts(self) -> list[Identifier]:
        """The accounts that named the address, or all if the record has it by other links."""
        linked = {end for link in self.links for end in (link.first_id, link.second_id)}
        if self.address.customer_id == self.live_id:
            return list(self.accounts)
        return [account for account in self.accounts if account.pk in linked]

    @property
    def holder_ids(self) -> list[int]:
        """The accounts; without an account, the identifiers that events of the record are filed on."""
        if self.accounts:
            return [account.pk for account in self.accounts]
        of_record = Identifier.objects.filter(customer=self.live_id, erasure=None)
        filed = of_record.exclude(record=None).order_by("pk")
        return list(filed.values_list("pk", flat=True)[:_MAX_ACCOUNTS])


def refuse(customer_id: UUID, *, kind: str, value: str, message_id: UUID, now: datetime) -> bool:
    """Take an unconfirmed address off a record; return False if it is confirmed or not known.

    A repetition changes nothing.
    """

    def attempt() -> bool:
        """Make one attempt."""
        take_advisory_locks(f"refusal {kind} {value}".encode())
        named = _read(customer_id, kind, value)
        if named is None or named.is_confirmed:
            return False
        if not _is_refused(named):
            _store(named, message_id, now)
        return True

    return retry.on_conflict(attempt)


def record_refusal(
    account_id: int, mailbox_ids: Iterable[int], decision_ids: Sequence[int], *, now: datetime
) -> None:
    """Store that a signed-in customer took own mailboxes off an account, and tell the sources."""
    account = Identifier.objects.get(pk=account_id)
    for mailbox in Identifier.objects.filter(pk__in=list(mailbox_ids)):
        sources = _naming_sources(_links([account], mailbox))
        AddressRefusal.objects.create(
            kind=mailbox.kind,
            address=mailbox.value,
            holder_ids=[account_id],
            has_account=True,
            decision_ids=list(decision_ids),
            source_ids=sources,
            refused_at=now,
        )
        _warn(sources, mailbox, now)


def _read(customer_id: UUID, kind: str, value: str) -> _NamedAddress | None:
    record = Customer.objects.filter(pk=customer_id).first()
    addresses = Identifier.objects.filter(
        kind=kind, value=value, evidence=Evidence.VERIFIED, erasure=None
    )
    address = addresses.order_by("-period").first()
    if record is None or address is None:
        return None
    live_id = record.canonical_id or record.pk
    of_record = Identifier.objects.filter(
        customer=live_id, evidence=Evidence.VERIFIED, erasure=None
    ).order_by("pk")
    accounts = [row for row in of_record[: 10 * _MAX_ACCOUNTS] if is_number(row.kind)]
    accounts = accounts[:_MAX_ACCOUNTS]
    return _NamedAddress(live_id, address, accounts, _links(accounts, address))


def _links(accounts: Sequence[Identifier], address: Identifier) -> list[Link]:
    """Return the links between accounts and an address that no source replaced."""
    ids = [account.pk for account in accounts]
    of_address = Q(first=address.pk, second__in=ids) | Q(second=address.pk, first__in=ids)
    links = Link.objects.filter(of_address, kind=LinkKind.TOGETHER, evidence__gte=NOTED)
    return list(links.exclude(state=LinkState.REPLACED))


def _is_refused(named: _NamedAddress) -> bool:
    refusals = AddressRefusal.objects.filter(
        kind=named.address.kind,
        address=named.address.value,
        holder_ids__overlap=named.holder_ids,
        undone_at=None,
    )
    return any(_is_current(refusal) for refusal in refusals)


def _is_current(refusal: AddressRefusal) -> bool:
    """Tell whether staff undid no decision of a refusal."""
    undone = ManualDecision.objects.filter(pk__in=refusal.decision_ids, undone_at__isnull=False)
    return not undone.exists()


def _store(named: _NamedAddress, message_id: UUID, now: datetime) -> None:
    sources = _naming_sources(named.links) or _sources_of_events(named)
    holder_ids = named.holder_ids
    append_internal_event(
        customer_id=named.live_id,
        name=REFUSED_EVENT,
        about="",
        properties={"kind": named.address.kind, "message": str(message_id)},
        actor=RECIPIENT,
        now=now,
        kind="identity",
    )
    separations = [
        decisions.decide(
            DecisionKind.SEPARATE,
            account.pk,
            named.address.pk,
            actor=RECIPIENT,
            reason=REASON,
            now=now,
        )
        for account in named.stating_accounts
    ]
    AddressRefusal.objects.create(
        kind=named.address.kind,
        address=named.address.value,
        holder_ids=holder_ids,
        has_account=bool(named.accounts),
        decision_ids=[decision.pk for decision in separations],
        source_ids=sources,
        message_id=message_id,
        refused_at=now,
    )
    _warn(sources, named.address, now)


def _naming_sources(links: Iterable[Link]) -> list[int]:
    ids = {link.source_id for link in links} - {BUTLER_SOURCE_ID}
    return sorted(ids)[:_MAX_SOURCES]


def _sources_of_events(named: _NamedAddress) -> list[int]:
    """Return the sources whose events named the address, such as an order of a guest."""
    ids = _events_naming(named.address).values_list("source_id", flat=True).distinct()
    return sorted(set(ids) - {BUTLER_SOURCE_ID})[:_MAX_SOURCES]


def _events_naming(address: Identifier) -> QuerySet[Event]:
    live = Q(pk=address.customer_id) | Q(canonical=address.customer_id) | Q(pk=address.record_id)
    logs = Customer.objects.filter(live).values("pk")
    return Event.objects.filter(customer__in=logs, identifier_ids__contains=[address.pk])


def _warn(source_ids: Collection[int], address: Identifier, now: datetime) -> None:
    """Count the refusal among the warnings of each source, with an event that named the address."""
    for source_id in source_ids:
        naming = _events_naming(address).filter(source_id=source_id).order_by("-received_at")
        example = naming.values_list("message_id", flat=True).first() or ""
        source_warnings.store([IngestWarning(NOT_MINE, 1, example)], source_id, now)
