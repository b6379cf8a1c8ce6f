"""What a customer said we may do, folded from the ledger. Pure.

A chain is read in the order of what happened, not of when we heard; at the same moment the
stricter word stands. Where several records are one customer, each keeps its own last word and
the strictest of them holds, until the customer says something new.
"""

from datetime import datetime
from typing import Literal

import msgspec

type ConsentState = Literal["given", "refused", "withdrawn", "expired", "invalidated"]

# The settings of a preference, and what their values are.
#   allow            bool                     scope: channel, topic
#   budget           {"most": int, "per": "day" | "week" | "month"}   scope: channel, topic
#   quiet_hours      {"from": "22:00", "to": "08:00", "days": [1..7] (ISO), all: absent}
#                                             scope: channel, topic
#   pause            ISO 8601 instant         scope: channel, topic
#   only_when_i_ask  bool                     scope: none
#   zone             IANA name                scope: none
#   language         "nl"                     scope: none
#   channel_order    ["inbox", "email", ...]  scope: none
#   person_first     bool                     scope: none
#   data_use         bool                     scope: topic holds the purpose
SETTINGS = (
    "allow",
    "budget",
    "quiet_hours",
    "pause",
    "only_when_i_ask",
    "zone",
    "language",
    "channel_order",
    "person_first",
    "data_use",
)


class Consent(msgspec.Struct, frozen=True):
    """The standing answer about one purpose, and the entry that says so."""

    state: ConsentState
    entry: str
    occurred_at: datetime
    # SHA-256 of the words that were shown, in hex; without it a consent is no basis.
    notice: str = ""
    valid_until: datetime | None = None
    # We do not ask again before this.
    reask_not_before: datetime | None = None


class Setting(msgspec.Struct, frozen=True):
    """One preference as it stands; "*" is every channel, every topic."""

    name: str
    value: object
    entry: str
    channel: str = "*"
    topic: str = "*"


class State(msgspec.Struct, frozen=True):
    """Everything a customer said we may and may not do."""

    consents: dict[str, Consent] = {}
    # A purpose, or "marketing" for all direct marketing: the entry that objects.
    objections: dict[str, str] = {}
    settings: tuple[Setting, ...] = ()
    # The entry that restricts all use (Art. 18); empty: none does.
    restricted: str = ""
