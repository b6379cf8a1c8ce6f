"""Starts the change of a proved address that a source named, once the new address is proved.

A source alone changes no proved address. The customer whose account in a shop got another address
confirms it by signing in with it, or the source says that it has confirmed it. The change takes effect
three days later.
"""

from datetime import datetime, timedelta

from django.conf import settings
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

SOURCE = "source"
# Older statements, such as those of a database before an upgrade, start a change at a sign-in only.
_CONFIRMED_SINCE = timedelta(days=30)


def start_changes(user: User, *, language: str, now: datetime) -> list[AddressChange]:
    """Store the changes that wait because this login proved a pending address; return them."""
    pending = sql.rows("read_pending_accounts", {"record_id": user.record_id})
    changes = (_start_change(*row, language=language, now=now) for row in pending)
    return [change for change in changes if change]


def start_confirmed_changes(*, now: datetime, limit: int) -> int:
    """Store the changes to addresses that a source confirmed itself; return how many started."""
    rows = sql.rows("read_confirmed_addresses", {"since": now - _CONFIRMED_SINCE, "limit": limit})
    changes = (_start_change(*row, language=settings.LANGUAGE_CODE, now=now) for row in rows)
    return sum(change is not None for change in changes)


def _start_change(
    account_id: int,
    mailbox_id: int,
    source_id: int,
    occurred_at: datetime,
    *,
    language: str,
    now: datetime,
) -> AddressChange | None:
    """Store the change of an account to a mailbox that its source named last; None if there is none.

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
    """Return the current mailboxes of an account that were proved before a time."""
    links = _links(account_id).filter(
        state=LinkState.JOINED, evidence__gte=OPENED, occurred_at__lt=before
    )
    return sorted({_other(link, account_id) for link in links} & _mailbox_ids(links))


def _names(account_id: int, mailbox_id: int, source_id: int) -> bool:
    """Tell whether a source named a mailbox for an account."""
    links = _links(account_id).filter(source=source_id, evidence=STATED)
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
