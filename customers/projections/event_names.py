"""The names of the events that projections read, and other spellings of them. Pure."""

import re
from difflib import get_close_matches
from functools import lru_cache

from customers.projections import interactions, orders, parties, requests

NAMES = frozenset(
    {*orders.NAMES, *orders.REQUEST_NAMES, *interactions.NAMES, *parties.NAMES, *requests.NAMES}
)
# Names of the same events in other vocabularies: Segment's first one, shops, payment services.
_ALIASES = {
    "Completed Order": orders.PLACED,
    "Order Created": orders.PLACED,
    "Order Placed": orders.PLACED,
    "checkout.session.completed": orders.PLACED,
    "Updated Order": "Order Updated",
    "Order Canceled": "Order Cancelled",
    "Cancelled Order": "Order Cancelled",
    "Order Line Canceled": "Order Line Cancelled",
    "Refunded Order": "Order Refunded",
    "charge.refunded": "Order Refunded",
}
# How alike two names must be for a suggestion, from 0 to 1.
_LIKENESS = 0.8
_SEPARATORS = re.compile(r"[\s._:/-]+")


def _key(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


_NAME_BY_KEY = {_key(name): name for name in NAMES}
_NAME_BY_ALIAS = {alias.lower(): name for alias, name in _ALIASES.items()}


def canonical_name(name: str) -> str:
    """Return the name of an event as Butler's vocabulary spells it; an unknown name unchanged."""
    return name if name in NAMES else _canonical_spelling(name)


@lru_cache(maxsize=4096)
def _canonical_spelling(name: str) -> str:
    return _NAME_BY_KEY.get(_key(name)) or _NAME_BY_ALIAS.get(name.lower(), name)


@lru_cache(maxsize=4096)
def suggested_name(name: str) -> str:
    """Return the name that the sender of an unknown name probably means; empty if there is none."""
    if canonical_name(name) in NAMES or len(name) > 60:
        return ""
    matches = get_close_matches(_key(name), _NAME_BY_KEY, n=1, cutoff=_LIKENESS)
    return _NAME_BY_KEY[matches[0]] if matches else ""
