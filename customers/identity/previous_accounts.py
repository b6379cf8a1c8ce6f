"""Reads the `previousId` of an `alias` as an account, if the source has such an account. Pure.

Otherwise it is a browser, as clients send it when a visitor signs in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from customers.identity.evidence import statement_evidence
from customers.identity.identifier_keys import filing_order, identifier_keys, stored_account
from customers.identity.links import IdentifierKey
from customers.types import CLAIMED, STATED, VERIFIED, IncomingEvent, IngestWarning, Sender

# The code of the warning to a source that owns no numbers, so that its alias joins none.
ALIAS_REFUSED = "alias_refused"

# For the places of aliases in a batch: the account that each browser would be.
type PreviousAccounts = Mapping[int, Mapping[IdentifierKey, IdentifierKey]]


class ReadAliases(NamedTuple):
    """The identifiers of each event, and the places of the aliases that join no accounts."""

    keys_by_event: list[tuple[IdentifierKey, ...]]
    refused: frozenset[int]


def previous_accounts(events: Sequence[IncomingEvent], sender: Sender) -> PreviousAccounts:
    """Return the accounts that the aliases of a batch may name as `previousId`."""
    if sender.evidence == CLAIMED:
        return {}
    return {
        place: accounts
        for place, event in enumerate(events)
        if event.kind == "alias" and (accounts := _accounts(event, sender))
    }


def _accounts(event: IncomingEvent, sender: Sender) -> dict[IdentifierKey, IdentifierKey]:
    accounts = {}
    for key in identifier_keys(event, sender):
        # The browser of a kiosk holds for one day, which its value names after "@".
        number = key.value.rpartition("@")[0] if sender.is_shared else key.value
        account = stored_account(number, sender) if key.kind == "anonymous_id" else None
        if account and account[0] == "user_id":
            accounts[key] = IdentifierKey(*account, VERIFIED)
    return accounts


def read_aliases(
    keys_by_event: list[tuple[IdentifierKey, ...]],
    accounts: PreviousAccounts,
    stored: Collection[IdentifierKey],
    sender: Sender,
) -> ReadAliases:
    """Put the known accounts in the place of the browsers, if the source may join its numbers."""
    stored_accounts = {
        place: {browser: account for browser, account in named.items() if account in stored}
        for place, named in accounts.items()
    }
    concerned = frozenset(place for place, named in stored_accounts.items() if named)
    if statement_evidence(sender) < STATED:
        return ReadAliases(keys_by_event, concerned)
    read = list(keys_by_event)
    for place in concerned:
        named = stored_accounts[place]
        keys = {named.get(key, key) for key in read[place]}
        read[place] = tuple(sorted(keys, key=lambda key: filing_order(key, sender)))
    return ReadAliases(read, frozenset())


def alias_warnings(
    refused: Collection[int], events: Sequence[IncomingEvent]
) -> list[IngestWarning]:
    """Return the warning about new aliases that name an account, but join none."""
    if not refused:
        return []
    first = events[min(refused)].message_id
    return [IngestWarning(ALIAS_REFUSED, len(refused), first)]
