"""Finds the silence of an address: a year in which its holder sent, proved and ordered nothing with it.

Mail providers give the mailboxes of former customers to others, and so do phone companies with
numbers. After a silence, a code opens only the later events. The history before it opens with one more
fact (customers.actions.earlier_history). The log decides, so a rebuild finds the same silences.
"""

from collections.abc import Collection

from customers import sql
from customers.identity.families import ADDRESSES
from customers.models import Identifier
from customers.types import HISTORY_OPENED


def note_silences(ids: Collection[int]) -> int:
    """Store the last silence of these addresses; return how many rows changed.

    A session may be open for two months, so it is enough to call this after each proof.
    """
    params = {"ids": sorted(ids), "opened": HISTORY_OPENED}
    return len(sql.rows("store_silences", params)) if ids else 0


def restore_silences(ids: Collection[int]) -> int:
    """Store the silences of those of these identifiers that are proved addresses, as above."""
    proved = Identifier.objects.filter(
        pk__in=ids, kind__in=ADDRESSES, proved_at__isnull=False, erasure=None
    )
    return note_silences(list(proved.values_list("pk", flat=True)))
