"""Opens the history of an address before its silence, by one more fact or by two colleagues.

The answer to a wrong fact and to an unknown one is the same. A silence has ten tries; after them only
staff open the history. So nobody tries order numbers one by one, not even over months.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F

from customers import sql
from customers.access.sessions import session_opening, session_proofs
from customers.actions import sign_in
from customers.actions.staff_address_changes import Colleague, SameColleague, refuse_own_record
from customers.identity.history_facts import TRAIT_NAMES, HistoryFact, StoredFacts, matches
from customers.identity.openable_graph import read_openable
from customers.identity.silences import note_silences
from customers.models import Evidence, HistoryOpening, Identifier, User
from customers.types import HISTORY_OPENED

MAX_TRIES = 10
CUSTOMER = "customer"


class NothingClosed(LookupError):
    """The session shows no record with a closed history, or the address has none."""


class IncompleteFact(Exception):
    """The customer gave half a fact, such as an order without its total."""


class WrongFact(Exception):
    """The fact is wrong, or the record does not know it. Butler does not tell which."""


class TooManyTries(Exception):
    """The tries are used up. Staff can open the history."""


class HistoryClosed(Exception):
    """The session has to open the earlier history first."""


class _ClosedHistory(NamedTuple):
    """The addresses whose history is closed, on one record."""

    live_id: UUID
    address_ids: Sequence[int]
    silent_until: datetime


def open_by_fact(user: User, session: SessionBase, fact: HistoryFact, *, now: datetime) -> None:
    """Open the earlier history of the record that the session shows, for later sessions, too.

    Raises NothingClosed, IncompleteFact, WrongFact or TooManyTries.
    """
    closed = _closed_history(user, session)
    if not fact.is_complete:
        raise IncompleteFact
    opening = _count_try(closed)
    if not matches(fact, _read_facts(closed)):
        raise WrongFact
    with transaction.atomic():
        _open(closed.address_ids, opening, actor=CUSTOMER, now=now)


def approve(
    customer_id: UUID, address: str, *, evidence: str, colleague: Colleague, now: datetime
) -> bool:
    """Open the history of an address, if another colleague approved it before; return whether.

    Two colleagues are two logins, whatever their names. Raises NothingClosed, SameColleague or
    OwnRecord.
    """
    refuse_own_record(colleague, customer_id, address)
    login, line = f"user:{colleague.user.pk}", f"{colleague.actor}: {evidence}"
    addresses = Identifier.objects.filter(
        customer=customer_id, value=address, evidence=Evidence.VERIFIED, erasure=None
    ).exclude(silent_until=None)
    with transaction.atomic():
        closed = list(addresses.select_for_update(no_key=True).order_by("id"))
        silences = [row.silent_until for row in closed if row.silent_until]
        if not silences:
            raise NothingClosed
        opening = _opening(closed[0].pk, silences[0])
        if not opening.approved_by:
            opening.approved_by, opening.evidence = login, line
            opening.save()
            return False
        if opening.approved_by == login:
            raise SameColleague
        opening.evidence = f"{opening.evidence}\n{line}"
        _open([row.pk for row in closed], opening, actor=colleague.actor, now=now)
    return True


def _closed_history(user: User, session: SessionBase) -> _ClosedHistory:
    graph = read_openable(session_proofs(user, session))
    record = session_opening(graph, session).chosen
    if record is None or record.opened_since is None:
        raise NothingClosed
    ids = sorted(
        id_
        for id_ in record.identifier_ids & set(graph.proved)
        if graph.identifiers[id_].silent_until
    )
    return _ClosedHistory(record.live_id, ids, record.opened_since)


def _count_try(closed: _ClosedHistory) -> HistoryOpening:
    """Count a try in a transaction of its own, so that simultaneous tries count, too."""
    with transaction.atomic(durable=True):
        opening = _opening(closed.address_ids[0], closed.silent_until)
        may_try = HistoryOpening.objects.filter(pk=opening.pk, tries__lt=MAX_TRIES)
        if not may_try.update(tries=F("tries") + 1):
            raise TooManyTries
    return opening


def _opening(address_id: int, silent_until: datetime) -> HistoryOpening:
    opening, _ = HistoryOpening.objects.get_or_create(
        identifier_id=address_id, silent_until=silent_until
    )
    return opening


def _read_facts(closed: _ClosedHistory) -> StoredFacts:
    params = {
        "live_id": closed.live_id,
        "until": closed.silent_until,
        "names": list(TRAIT_NAMES),
    }
    [texts] = sql.rows("read_history_facts", params)
    orders, cards, traits = map(msgspec.json.decode, texts)
    return msgspec.convert({"orders": orders, "cards": cards, "traits": traits}, StoredFacts)


def _open(
    address_ids: Sequence[int], opening: HistoryOpening, *, actor: str, now: datetime
) -> None:
    """Store on the log that the history is the holder's, which ends the effect of the silence."""
    values = set(Identifier.objects.filter(pk__in=address_ids).values_list("kind", "value"))
    for kind, value in sorted(values):
        sign_in.store_event(HISTORY_OPENED, now, (kind, value), traits={kind: value}, actor=actor)
    note_silences(address_ids)
    # The tries of another request are not part of this row.
    opening.opened_at, opening.opened_by = now, actor[:100]
    opening.save(update_fields=["opened_at", "opened_by", "evidence"])
