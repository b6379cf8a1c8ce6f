"""The accounts that a session opens, and the closed accounts that state its mailbox."""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.sessions.backends.base import SessionBase

from customers.access.sessions import session_opening, session_proofs
from customers.identity.openable_graph import OpenableGraph, main_identifier, read_openable
from customers.identity.opening_rules import Opening
from customers.models import Source, User
from customers.types import OpenedRecord

# The accounts of each list. More of them are of a company or a test, not of a family.
_LIMIT = 100
# The last characters of an account number that are shown.
_SHOWN = 2


class AccountChoice(NamedTuple):
    """A record that a session opens. `account_id` is one of its identifiers."""

    account_id: int
    # The names of the sources with an account in the record; empty for a mailbox without an account.
    sources: tuple[str, ...]
    # The end of an account number, such as "…17"; empty without an account.
    masked_number: str
    is_chosen: bool


class ClosedAccount(NamedTuple):
    """An account that states the mailbox of the session, and stays closed."""

    account_id: int
    source: str


class Accounts(NamedTuple):
    """The records that the customer can choose from, and the accounts that stay closed."""

    choices: tuple[AccountChoice, ...]
    closed: tuple[ClosedAccount, ...]
    # The mailbox has more accounts than these.
    has_more: bool


def read_accounts(user: User, session: SessionBase) -> Accounts:
    """Return the accounts of the session of this login."""
    graph = read_openable(session_proofs(user, session))
    opened = session_opening(graph, session)
    return accounts_of(opened.opening, graph, chosen=opened.chosen)


def accounts_of(opening: Opening, graph: OpenableGraph, *, chosen: OpenedRecord | None) -> Accounts:
    """Return the accounts of what a session opens. `chosen` is the record that it shows."""
    names = _source_names(graph)
    records, closed = opening.records, opening.closed_accounts
    return Accounts(
        choices=tuple(
            _choice(record, graph, names, is_chosen=record is chosen) for record in records[:_LIMIT]
        ),
        closed=tuple(ClosedAccount(id_, names[id_]) for id_ in closed[:_LIMIT]),
        has_more=max(len(records), len(closed)) > _LIMIT
        or not graph.crowded.isdisjoint(graph.proved),
    )


def _choice(
    record: OpenedRecord, graph: OpenableGraph, names: dict[int, str], *, is_chosen: bool
) -> AccountChoice:
    accounts = record.account_ids
    number = graph.identifiers[accounts[0]].node.number if accounts else ""
    return AccountChoice(
        account_id=main_identifier(record, graph),
        sources=tuple(dict.fromkeys(names[id_] for id_ in accounts)),
        masked_number=f"…{number[-_SHOWN:]}" if number else "",
        is_chosen=is_chosen,
    )


def _source_names(graph: OpenableGraph) -> dict[int, str]:
    """Return the name of the source of each account."""
    source_ids = {
        id_: int(openable.node.source)
        for id_, openable in graph.identifiers.items()
        if openable.node.source
    }
    names = _names(source_ids.values())
    return {id_: names[source_id] for id_, source_id in source_ids.items()}


def _names(source_ids: Iterable[int]) -> dict[int, str]:
    return dict(Source.objects.filter(pk__in=set(source_ids)).values_list("id", "name"))
