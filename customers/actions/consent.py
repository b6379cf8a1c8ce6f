"""Records consent statements on the ledger. They hold as soon as the function returns."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec

from customers.actions.changes import ChangeAuthor
from customers.actions.erasure_refusals import lift_refusals
from customers.actions.record_locks import lock_live_record
from customers.consent import ledger as consent_ledger
from customers.consent.chain_writer import ChainWriter, RecordedStatements, ScopedStatement
from customers.consent.ledger import Ledger
from customers.consent.ledger_entries import expired_consents
from customers.consent.publications import Publications, read_publications
from customers.consent.statements import (
    ConsentStatement,
    Declarant,
    validate_reask,
    validate_statement,
)
from customers.db import retry
from customers.events import internal_sources
from customers.models import ConsentState

# The company must not ask again for half a year after a refusal or a withdrawal.
_REASK_PAUSE = timedelta(days=183)
_REFUSALS = frozenset({"consent.refused", "consent.withdrawn"})
_CLOCK_TICK = timedelta(microseconds=1)


def record_statements(
    *,
    customer_id: UUID,
    statements: Sequence[ConsentStatement],
    author: ChangeAuthor,
    now: datetime,
) -> RecordedStatements:
    """Record all of these statements on the ledger, and return a receipt. They hold at once.

    Raises NoSuchCustomer, or InvalidStatement if one of the statements is not valid. After an
    error, no statement is recorded.
    """
    declarant = Declarant(author.sender.is_trusted, author.sender.channel, author.actor)
    publications = read_publications(statements)
    for statement in statements:
        validate_statement(statement, declarant, publications.terms)
    return retry.on_conflict(
        lambda: _append_statements(customer_id, statements, declarant, publications, now)
    )


def _append_statements(
    customer_id: UUID,
    statements: Sequence[ConsentStatement],
    declarant: Declarant,
    publications: Publications,
    now: datetime,
) -> RecordedStatements:
    live, has_refusals = lock_live_record(customer_id)
    if has_refusals and not declarant.actor:
        lift_refusals(live, statements)
    ledger = consent_ledger.read_ledgers([live])[live]
    moment = _statement_time(ledger, now)
    dated = [_dated(statement, moment, now) for statement in statements]
    if declarant.actor:
        state = ledger.state()
        for statement in dated:
            validate_reask(statement, declarant, state)
    scoped = [ScopedStatement(statement, ledger.record_ids) for statement in dated]
    return ChainWriter(live, ledger, publications, declarant, now).append(scoped)


def expire_consents(*, now: datetime, limit: int = 200) -> int:
    """Record expired consents on the ledger; return the number of affected customers."""
    overdue = ConsentState.objects.filter(expires_at__lte=now).order_by("expires_at")
    customer_ids = list(overdue.values_list("customer_id", flat=True)[:limit])
    # All writers lock records in the order of their ids, to avoid deadlocks.
    for customer_id in sorted(customer_ids):
        retry.on_conflict(partial(_expire_consents_of, customer_id, now))
    return len(customer_ids)


def _expire_consents_of(customer_id: UUID, now: datetime) -> None:
    live = lock_live_record(customer_id).id
    ledger = consent_ledger.read_ledgers([live])[live]
    declarant = Declarant(is_trusted=True, channel=internal_sources.BUTLER.channel, actor="butler")
    expired = [
        # The entry speaks only for the records that gave this consent. Consents of other records
        # stay valid.
        ScopedStatement(
            ConsentStatement(kind="consent.expired", subject=purpose, occurred_at=end),
            tuple(records),
        )
        for (purpose, end), records in expired_consents(
            ledger.entries, ledger.record_ids, now
        ).items()
    ]
    if expired:
        publications = read_publications([scoped.statement for scoped in expired])
        ChainWriter(live, ledger, publications, declarant, now).append(expired)


def _statement_time(ledger: Ledger, now: datetime) -> datetime:
    """Return the event time of a statement that is made now: later than all earlier statements.

    The clocks of two machines may differ. A withdrawal must not be earlier than the consent that
    it withdraws.
    """
    latest = max((entry.occurred_at for entry in ledger.entries), default=None)
    return max(now, latest + _CLOCK_TICK) if latest else now


def _dated(statement: ConsentStatement, moment: datetime, now: datetime) -> ConsentStatement:
    reask = statement.reask_not_before
    if reask is None and statement.kind in _REFUSALS:
        reask = now + _REASK_PAUSE
    occurred_at = min(statement.occurred_at, moment) if statement.occurred_at else moment
    return msgspec.structs.replace(statement, occurred_at=occurred_at, reask_not_before=reask)
