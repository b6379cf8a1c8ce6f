"""The customer chooses, joins and refuses the accounts of the own mailbox."""

from collections.abc import Set
from datetime import datetime

from django.contrib.sessions.backends.base import SessionBase

from customers.access.proof_times import fresh_proofs
from customers.access.sessions import session_opening, session_proofs
from customers.actions import address_changes, address_refusals
from customers.actions.earlier_history import HistoryClosed
from customers.identity import decisions
from customers.identity.graph import read_decisions
from customers.identity.links import DecisionKind, last_decisions
from customers.identity.openable_graph import (
    CHOSEN,
    PROVED,
    OpenableGraph,
    main_identifier,
    read_openable,
)
from customers.models import User
from customers.types import OPENED

_ACTOR = "customer"
JOINED = "Both accounts are mine"
REFUSED = "Not my account"


class NoSuchAccount(LookupError):
    """The session does not open this account, or it does not state the mailbox of the session."""


class OldProof(Exception):
    """The session proved its mailboxes too long ago to join or separate their records."""


def choose_account(user: User, session: SessionBase, account_id: int) -> None:
    """Store in the session which record it shows: the one with this account. The caller saves it.

    Raises NoSuchAccount.
    """
    records = _read(user, session).open().records
    if not any(account_id in record.identifier_ids for record in records):
        raise NoSuchAccount
    session[CHOSEN] = account_id


def join_accounts(user: User, session: SessionBase, *, now: datetime) -> bool:
    """Join all records that the session opens; return False if it opens only one.

    The session proved the mailbox of each of them. If it proved another mailbox than that of its
    login, both proofs have to be some minutes old at most. Raises OldProof, ChangesFrozen, or
    HistoryClosed if the earlier history of one of them may be of another holder of the mailbox.
    """
    graph = _read(user, session)
    if session.get(PROVED) and not set(graph.proved) <= fresh_proofs(session, graph, now):
        raise OldProof
    records = graph.open().records
    if any(record.has_closed_past for record in records):
        raise HistoryClosed
    address_changes.refuse_frozen({id_ for record in records for id_ in record.identifier_ids})
    mains = [main_identifier(record, graph) for record in records]
    for other in mains[1:]:
        decisions.decide(DecisionKind.MERGE, mains[0], other, actor=_ACTOR, reason=JOINED, now=now)
    return len(mains) > 1


def refuse_account(user: User, session: SessionBase, account_id: int, *, now: datetime) -> None:
    """Take the mailboxes of the session off an account that is another person's.

    The account keeps its record, apart from accounts of the session that a person joined with it. It
    never opens with these mailboxes again, unless the customer proves both in one session. A proved
    address is taken off only in a session that proved it some minutes ago, so that nobody does it in a
    session that was left open. Raises NoSuchAccount or OldProof.
    """
    graph = _read(user, session)
    shown = session_opening(graph, session)
    is_mentioned = account_id in shown.opening.closed_accounts or any(
        account_id in record.account_ids for record in shown.opening.records
    )
    mailboxes = _mailboxes_of(graph, account_id) if is_mentioned else []
    if not mailboxes:
        raise NoSuchAccount
    if _is_proved_address(graph, account_id) and not (
        {*mailboxes} <= fresh_proofs(session, graph, now)
    ):
        raise OldProof
    opened = {id_ for record in shown.opening.records for id_ in record.identifier_ids}
    # The accounts come first, so that the mailbox stays on the record of the others.
    separations = [
        decisions.decide(
            DecisionKind.SEPARATE, other, account_id, actor=_ACTOR, reason=REFUSED, now=now
        )
        for other in (*_joined_by_people(account_id, opened), *mailboxes)
    ]
    address_refusals.record_refusal(
        account_id, mailboxes, [decision.pk for decision in separations], now=now
    )
    session.pop(CHOSEN, None)


def _read(user: User, session: SessionBase) -> OpenableGraph:
    return read_openable(session_proofs(user, session))


def _is_proved_address(graph: OpenableGraph, account_id: int) -> bool:
    """Tell whether a proved mailbox of the session is the proved address of this account."""
    return any(
        link.evidence >= OPENED
        and account_id in (link.first, link.second)
        and not {link.first, link.second}.isdisjoint(graph.proved)
        for link in graph.links
    )


def _joined_by_people(account_id: int, opened: Set[int]) -> list[int]:
    """Return the opened identifiers that the last decision of a person joined with an account."""
    last = last_decisions(read_decisions([account_id, *opened]))
    return sorted(
        other
        for decision in last.values()
        if decision.kind == DecisionKind.MERGE and account_id in decision.pair
        for other in decision.pair
        if other != account_id and other in opened
    )


def _mailboxes_of(graph: OpenableGraph, account_id: int) -> list[int]:
    """Return the proved mailboxes that an account states."""
    ends = {
        link.second if link.first == account_id else link.first
        for link in graph.links
        if account_id in (link.first, link.second)
    }
    return sorted(
        id_ for id_ in ends & set(graph.proved) if graph.identifiers[id_].node.kind == "email"
    )
