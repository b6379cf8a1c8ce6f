"""The five families of identifiers, and the order in which an event is filed. Pure.

docs/reference/identity.md describes what each family does.
"""

from enum import IntEnum
from functools import lru_cache

EXTERNAL_PREFIX = "external:"
ORDER = "order"
PHONE = "phone"
# The kinds of identifiers that receive messages.
ADDRESSES = frozenset({"email", PHONE})
_DEVICES = frozenset({"anonymous_id", "device"})


class Family(IntEnum):
    """The family of an identifier: the thing that it names. It decides which links join records."""

    # One customer of one source. Accounts and mailboxes join records.
    ACCOUNT = 1
    MAILBOX = 2
    # A card, a phone, or a number of which one person may have several. It is attached to a record.
    ATTACHED = 3
    # An order or a ticket. It finds a record, and joins nothing.
    REFERENCE = 4
    # A browser or a device. It carries anonymous activity.
    DEVICE = 5


# The families that join records. The grouping decides about them before all others.
JOINING_FAMILIES = frozenset({Family.ACCOUNT, Family.MAILBOX})

# Places of the kinds in the order of filing. Attached numbers come between cards and phones.
_PLACES = {"email": 2, "card": 3, PHONE: 5, ORDER: 6, "anonymous_id": 7, "device": 8}
_ATTACHED_NUMBER = 4


# Senders choose the names of external systems, so the caches are limited.
@lru_cache(maxsize=1_000)
def is_number(kind: str) -> bool:
    """Tell whether a source gives these identifiers: `user_id` and `external:<system>`."""
    return kind == "user_id" or kind.startswith(EXTERNAL_PREFIX)


@lru_cache(maxsize=1_000)
def family_of(kind: str, *, has_several_ids: bool = False) -> Family:
    """Return the family of a kind.

    has_several_ids: a person may have several numbers in the space of the source
    """
    if is_number(kind):
        return Family.ATTACHED if has_several_ids else Family.ACCOUNT
    if kind == "email":
        return Family.MAILBOX
    if kind == ORDER:
        return Family.REFERENCE
    return Family.DEVICE if kind in _DEVICES else Family.ATTACHED


@lru_cache(maxsize=1_000)
def filing_rank(kind: str, *, has_several_ids: bool = False) -> int:
    """Return the place of a kind in the order of filing: an event is filed on the lowest."""
    if not is_number(kind):
        return _PLACES[kind]
    if has_several_ids:
        return _ATTACHED_NUMBER
    return 0 if kind == "user_id" else 1


@lru_cache(maxsize=1_000)
def split_source(kind: str) -> tuple[str, str]:
    """Return the kind, and the source that a kind such as `order:7` or `user_id:7` names."""
    if kind.startswith(EXTERNAL_PREFIX):
        system, _, source = kind.removeprefix(EXTERNAL_PREFIX).partition(":")
        return f"{EXTERNAL_PREFIX}{system}", source
    kind, _, source = kind.partition(":")
    return kind, source
