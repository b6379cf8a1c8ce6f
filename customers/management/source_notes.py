"""Sentences for the operator: what a source shares, and what its customers can see."""

from collections.abc import Sequence

from customers.identity.evidence import address_evidence
from customers.types import (
    CLAIMED,
    CONFIRMED,
    MAIN_SPACE,
    NOTED,
    STATED,
    Sender,
)


def describe_numbers(name: str, space: str, others: Sequence[str]) -> str:
    """Return with which sources this one shares the numbers of its customers, and what to do."""
    if not others:
        return f'"{name}" shares its numbers of customers with no other source (space "{space}").'
    shared = (
        f'"{name}" shares its numbers of customers with {_listed(others)} (space "{space}"): '
        "an equal number means the same customer"
    )
    if space != MAIN_SPACE:
        return f"{shared}."
    return (
        f"{shared} if both sources also gave the same e-mail address. If these sources number "
        "their customers separately, give each a space of its own: "
        f'manage.py move_source "{name}" --ids NAME_OF_A_SPACE'
    )


def describe_addresses(sender: Sender) -> str:
    """Return what customers of this source see until they confirm their e-mail address."""
    return _ADDRESSES[address_evidence(sender)].format(name=sender.name) + _advice(sender)


_ADDRESSES = {
    CLAIMED: (
        'Everything that this key of "{name}" sends is a claim: it opens no record to customers '
        "and joins no records."
    ),
    NOTED: (
        'Addresses from "{name}" are noted for staff: they join no records, and open nothing to '
        "customers."
    ),
    STATED: (
        'Until customers of "{name}" confirm their e-mail address with a code, they see only what '
        'it sent about their account, and "Confirm your address to see what we have for it".'
    ),
    CONFIRMED: (
        'Addresses from "{name}" count as confirmed: customers who sign in with one see '
        'everything of their account. If "{name}" does not verify e-mail addresses, use '
        "--addresses unchecked."
    ),
}


def _advice(sender: Sender) -> str:
    """Return which option to use if the source knows its addresses better."""
    if address_evidence(sender) not in (NOTED, STATED) or sender.addresses:
        return ""
    checked = " Use --addresses checked if it verifies e-mail addresses."
    if sender.channel == "import":
        return f"{checked} Use --addresses stated if it imports your own customers."
    return checked


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
