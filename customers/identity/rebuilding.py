"""Rebuilds who is who: restores missing links from the events, and groups all identifiers again.

New events do the same for the identifiers that they name. This module serves all others, after a
change of the rules, of a source or of a space.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from customers import sql
from customers.db import retry
from customers.identity import merging, order_moves, refiling
from customers.identity.best_evidence import restore_best_evidence
from customers.identity.families import ORDER
from customers.identity.link_rebuilding import rebuild_links
from customers.identity.merging import Move
from customers.identity.rebuild_report import describe_joining, describe_split
from customers.identity.silences import restore_silences
from customers.models import Identifier, Review, User

# The number of identifiers that are grouped in one transaction.
BATCH_SIZE = 100


class RebuiltBatch(NamedTuple):
    """The changes that regrouping one batch of identifiers made, or would make."""

    # A line for each record that was split from another one, and for each that joined one.
    split: Sequence[str] = ()
    joined: Sequence[str] = ()
    # The number of links that were missing, or stored with a later time.
    links: int = 0
    # The number of identifiers and links that changed, such as a phone that is attached elsewhere.
    changed: int = 0


# Identifiers, sorted by id, each with its live record.
type Identifiers = Mapping[int, UUID | None]


def identifier_batches(*, after: int = 0, batch: int = BATCH_SIZE) -> Iterator[Identifiers]:
    """Yield all identifiers in batches."""
    while rows := sql.rows("read_next_identifiers", {"after": after, "batch": batch}):
        yield dict(rows)
        after = rows[-1][0]


def number_batches(
    source_ids: Sequence[int], *, after: int = 0, batch: int = BATCH_SIZE
) -> Iterator[Identifiers]:
    """Yield the numbers of these sources in batches."""
    params = {"sources": source_ids, "batch": batch}
    while rows := sql.rows("read_numbers_of_sources", {"after": after, **params}):
        yield dict(rows)
        after = rows[-1][0]


def rebuild_identities(
    identifiers: Identifiers, *, now: datetime, is_dry_run: bool = False
) -> RebuiltBatch:
    """Group these identifiers and the others of their records, in one transaction.

    is_dry_run: take all changes back
    """

    def attempt() -> RebuiltBatch:
        members = _members({record for record in identifiers.values() if record})
        rebuilt = _rebuild(identifiers.keys() | set().union(*members.values()), now)
        transaction.set_rollback(is_dry_run)
        return rebuilt

    return retry.on_conflict(attempt)


def without_earlier(identifiers: Identifiers) -> Identifiers:
    """Leave out identifiers of records that were grouped with an earlier batch of all identifiers.

    The smallest identifier of such a record precedes the batch.
    """
    members = _read_members({record for record in identifiers.values() if record})
    first = min(identifiers)
    earlier = {record for record, ids in members.items() if min(ids) < first}
    return {id_: record for id_, record in identifiers.items() if record not in earlier}


def check_records(records: Iterable[UUID], *, now: datetime) -> RebuiltBatch:
    """Compare live records with the grouping of their identifiers; change nothing."""

    def attempt() -> RebuiltBatch:
        members = _members(set(records))
        rebuilt = _rebuild(set().union(*members.values()), now)
        transaction.set_rollback(True)
        return rebuilt

    return retry.on_conflict(attempt)


def _members(records: Set[UUID]) -> dict[UUID, set[int]]:
    """Lock live records, and return their identifiers."""
    sql.run("lock_records", {"ids": sorted(records)})
    return _read_members(records)


def _read_members(records: Set[UUID]) -> dict[UUID, set[int]]:
    members: dict[UUID, set[int]] = {}
    for record, id_ in sql.rows("read_members", {"records": sorted(records)}):
        members.setdefault(record, set()).add(id_)
    return members


def _rebuild(ids: Set[int], now: datetime) -> RebuiltBatch:
    rebuilt_links = rebuild_links(ids)
    restored = restore_best_evidence(ids)
    restored += restore_silences(ids)
    regrouped = merging.regroup(ids | rebuilt_links.ids, now=now, are_decided=True)
    refiling.refile_all(regrouped.placeholders, reason="placeholder", actor="", now=now)
    order_ids = Identifier.objects.filter(pk__in=ids, kind=ORDER).values_list("pk", flat=True)
    moved = order_moves.refile_events_that_name_customers(list(order_ids), now=now)
    moved += order_moves.refile_moved_orders({*order_ids, *regrouped.moving_orders}, now=now)
    split = [move for move in regrouped.moves if move.before != move.record_id]
    joined = [move for move in regrouped.moves if move.after != move.record_id]
    _ask_about_logins(split)
    return RebuiltBatch(
        [describe_split(move) for move in split],
        [describe_joining(move) for move in joined],
        rebuilt_links.links,
        regrouped.changed + restored + moved,
    )


def _ask_about_logins(split: Sequence[Move]) -> None:
    """Ask staff about customers who signed in, and whose record lost another one."""
    records = {record for move in split for record in (move.record_id, move.before)}
    logins = User.objects.filter(Q(record__in=records) | Q(record__canonical__in=records))
    signed_in = {id_ for ids in logins.values_list("record", "record__canonical") for id_ in ids}
    Review.objects.bulk_create(
        [
            Review(
                kind=Review.Kind.SUGGESTED_MERGE,
                first_id=min(move.record_id, move.before),
                second_id=max(move.record_id, move.before),
                details={"reason": "signed in before the rules split the records"},
            )
            for move in split
            if {move.record_id, move.before} & signed_in
        ],
        ignore_conflicts=True,
    )
