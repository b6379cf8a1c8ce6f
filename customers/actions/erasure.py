"""Erases a customer: ends the identifiers of a record, and lets no source write about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from customers import sql
from customers.actions import sign_in, ticket_codes
from customers.actions.erasure_refusals import refused_purposes
from customers.actions.record_locks import lock_live_record
from customers.actions.refiling import MAX_REASON_LENGTH
from customers.consent import ledger
from customers.db import retry
from customers.events import log
from customers.identity import erasure_rules, merging
from customers.identity.families import ADDRESSES, is_number
from customers.identity.links import IdentifierKey
from customers.models import Customer, Erasure, Identifier, Source, Tombstone, User
from customers.tickets.states import ERASED as ERASED_CODES


class ErasedRecord(NamedTuple):
    """An erasure, and whether this call made it."""

    erasure: Erasure
    is_new: bool


def erase(*, customer_id: UUID, reason: str, actor: str, now: datetime) -> ErasedRecord:
    """Erase the live record that an id leads to; an erased record stays as it is.

    All its identifiers end, and each gets a tombstone. A later event with one of them starts an
    empty record. No event and no identifier is deleted here. Raises NoSuchCustomer.
    """
    reason = reason.strip()[:MAX_REASON_LENGTH]
    return retry.on_conflict(lambda: _erase(customer_id, reason, actor[:100], now))


def _erase(customer_id: UUID, reason: str, actor: str, now: datetime) -> ErasedRecord:
    live = lock_live_record(customer_id).id
    identifiers = list(
        Identifier.objects.filter(customer_id=live, erasure=None)
        .select_for_update(no_key=True)
        .order_by("id")
    )
    earlier = Erasure.objects.filter(customer_id=live).order_by("id").last()
    if earlier and not identifiers:
        return ErasedRecord(earlier, is_new=False)
    erasure = Erasure.objects.create(customer_id=live, erased_at=now, actor=actor, reason=reason)
    _store_tombstones(erasure, identifiers)
    _end_identifiers(erasure, [identifier.pk for identifier in identifiers])
    _end_logins(live)
    ticket_codes.end_codes(live, now, ERASED_CODES)
    properties = {"reason": reason, "erasure": erasure.pk}
    event = log.InternalEvent(live, "identity", "Customer Erased", properties, now)
    log.append_internal_events([event], actor=actor, now=now)
    return ErasedRecord(erasure, is_new=True)


def _store_tombstones(erasure: Erasure, identifiers: Sequence[Identifier]) -> None:
    """Store a tombstone for each identifier.

    If an identifier has a later period already, its own period ended when that one began.
    """
    refused = refused_purposes(
        ledger.read_ledgers([erasure.customer_id])[erasure.customer_id].state()
    )
    ends = _ends_of_periods(identifiers)
    Tombstone.objects.bulk_create(
        Tombstone(
            erasure=erasure,
            digest=erasure_rules.digest(settings.ERASURE_KEY, _key(identifier)),
            period=identifier.period + 1,
            erased_at=ends.get(identifier.pk, erasure.erased_at),
            refused=refused if identifier.kind in ADDRESSES else [],
        )
        for identifier in identifiers
    )
    _store_tombstones_of_spaces(erasure, identifiers)


def _store_tombstones_of_spaces(erasure: Erasure, identifiers: Sequence[Identifier]) -> None:
    """Store a tombstone for the equal numbers of all sources of a named space.

    A source that numbers the same customers may name the customer for the first time later.
    """
    numbers = [_key(row) for row in identifiers if is_number(row.kind)]
    sources = {int(key.value.partition("/")[0]) for key in numbers}
    spaces = dict(Source.objects.filter(pk__in=sources).values_list("pk", "space_id"))
    equal = {
        erasure_rules.digest(settings.ERASURE_KEY, number)
        for key in numbers
        if (space := spaces.get(int(key.value.partition("/")[0])))
        if (number := erasure_rules.number_of_space(key, space))
    }
    earlier = Tombstone.objects.filter(digest__in=equal).values_list("digest", "period")
    latest = {bytes(digest): period for digest, period in earlier.order_by("period")}
    Tombstone.objects.bulk_create(
        Tombstone(
            erasure=erasure,
            digest=digest,
            period=latest.get(digest, 0) + 1,
            erased_at=erasure.erased_at,
        )
        for digest in sorted(equal)
    )


def _key(identifier: Identifier) -> IdentifierKey:
    return IdentifierKey(identifier.kind, identifier.value, identifier.evidence)


def _ends_of_periods(identifiers: Sequence[Identifier]) -> dict[int, datetime]:
    """Return the ends of the periods that have ended, by the id of the identifier."""
    values = [identifier.value for identifier in identifiers]
    next_periods = Identifier.objects.filter(value__in=values, period__gt=0)
    starts = {(_key(row), row.period): row.period_starts_at for row in next_periods}
    return {
        identifier.pk: start
        for identifier in identifiers
        if (start := starts.get((_key(identifier), identifier.period + 1)))
    }


def _end_identifiers(erasure: Erasure, ids: Sequence[int]) -> None:
    """End these identifiers. Links between them and others do nothing from now on.

    The ended identifiers are regrouped, too: without those links, a device is not shared any more.
    """
    Identifier.objects.filter(pk__in=ids).update(erasure=erasure)
    others = {id_ for (id_,) in sql.rows("end_links", {"ids": ids})}
    # Batches that have read the identifiers before read them again.
    Customer.objects.filter(pk=erasure.customer_id).update(
        grouping_version=F("grouping_version") + 1
    )
    merging.regroup({*ids, *others}, now=erasure.erased_at, are_decided=True)


def _end_logins(live: UUID) -> None:
    """End the sessions and passkeys of the logins of a record. A login with a new code opens another record."""
    for user in User.objects.filter(Q(record_id=live) | Q(record__canonical_id=live)):
        sign_in.end_access(user)
        user.record_id = None
        user.save()
