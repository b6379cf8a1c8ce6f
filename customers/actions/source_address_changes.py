"""Starts the change of a proved address after the customer or a source has confirmed the new one.

A source alone changes no proved address. The customer whose account in a shop got another address
confirms it by signing in with it, or the source says that it has confirmed it. The change takes
effect three days later.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from customers import sql
from customers.actions import address_changes
from customers.models import (
    AddressChange,
    Identifier,
    Link,
    LinkKind,
    LinkState,
    Source,
    User,
)
from customers.types import OPENED, STATED

_log = logging.getLogger(__name__)

SOURCE = "source"
# The job reads the confirmations of the last 30 days. An older one, such as one of a database before an
# upgrade, starts its change when the customer signs in with the address.
_MAX_AGE = timedelta(days=30)


def start_changes(user: User, *, language: str, now: datetime) -> list[AddressChange]:
    """Store the changes that wait because this login proved a pending address; return them."""
    pending = sql.rows("read_pending_accounts", {"record_id": user.record_id})
    changes = (_start_change(*row, language=language, now=now) for row in pending)
    return [change for change in changes if change]


def start_confirmed_changes(*, now: datetime, limit: int) -> int:
    """Store the changes to addresses that a source confirmed itself; return how many started.

    limit: the number of addresses that one statement reads
    """
    count, position = 0, (now - _MAX_AGE, 0)
    while rows := _read_confirmed(position, limit):
        count += sum(_try_start(*row[2:], now=now) for row in rows)
        position = rows[-1][:2]
    return count


def _read_confirmed(position: tuple[datetime, int], limit: int) -> list[tuple[Any, ...]]:
    params = {"since": position[0], "after": position[1], "limit": limit}
    return sql.rows("read_confirmed_addresses", params)


def _try_start(
    account_id: int, mailbox_id: int, source_id: int, occurred_at: datetime, *, now: datetime
) -> bool:
    """Start the change to one confirmed address; return whether it started.

    An error lets it wait, and no other change.
    """
    login = User.objects.filter(record__identifiers__pk=account_id).first()
    language = login.language if login else settings.LANGUAGE_CODE
    try:
        with transaction.atomic():
            change = _start_change(
                account_id, mailbox_id, source_id, occurred_at, language=language, now=now
            )
    except Exception as error:  # noqa: BLE001  one address must not hold up the others
        # Without the text of the error, which may contain an address.
        _log.error("the change to a confirmed address failed: %s", type(error).__name__)
        return False
    return change is not None


def _start_change(
    account_id: int,
    mailbox_id: int,
    source_id: int,
    occurred_at: datetime,
    *,
    language: str,
    now: datetime,
) -> AddressChange | None:
    """Store the change of an account to a mailbox that a source named; return it.

    Return None if the account has no earlier proof, if the source has named another mailbox since, or
    if the changes of the account are frozen or too many.

    occurred_at: the time since which the source names the mailbox
    """
    proved = _proved_mailboxes(account_id, before=occurred_at)
    if not proved or not _is_latest(account_id, mailbox_id, source_id):
        return None
    replaced = [id_ for id_ in proved if _names(account_id, id_, source_id)]
    try:
        return address_changes.request_change(
            holder_ids=[account_id],
            added=Identifier.objects.get(pk=mailbox_id),
            removed=Identifier.objects.get(pk=replaced[0]) if len(replaced) == 1 else None,
            actor=SOURCE,
            origin=Source.objects.get(pk=source_id).name,
            language=language,
            now=now,
        )
    except (address_changes.ChangesFrozen, address_changes.TooManyChanges):
        return None


def _proved_mailboxes(account_id: int, *, before: datetime) -> list[int]:
    """Return the current mailboxes of an account that were proved until a time."""
    links = _links(account_id).filter(
        state=LinkState.JOINED, evidence__gte=OPENED, occurred_at__lte=before
    )
    return sorted({_other(link, account_id) for link in links} & _mailbox_ids(links))


def _names(account_id: int, mailbox_id: int, source_id: int) -> bool:
    """Tell whether a source named a mailbox for an account."""
    links = _links(account_id).filter(source=source_id, evidence__gte=STATED)
    return links.filter(Q(first=mailbox_id) | Q(second=mailbox_id)).exists()


def _is_latest(account_id: int, mailbox_id: int, source_id: int) -> bool:
    """Tell whether a mailbox is the last one that a source named for an account."""
    rows = sql.rows("read_latest_addresses", {"ids": [account_id]})
    of_source = [row for row in rows if row[2] == source_id]
    latest = max(of_source, key=lambda row: (row[3], row[4]), default=None)
    return latest is not None and latest[1] == mailbox_id


def _links(account_id: int) -> QuerySet[Link]:
    of_account = Q(first=account_id) | Q(second=account_id)
    return Link.objects.filter(of_account, kind=LinkKind.TOGETHER)


def _other(link: Link, account_id: int) -> int:
    return link.second_id if link.first_id == account_id else link.first_id


def _mailbox_ids(links: QuerySet[Link]) -> set[int]:
    ends = {end for link in links for end in (link.first_id, link.second_id)}
    return set(Identifier.objects.filter(pk__in=ends, kind="email").values_list("pk", flat=True))
