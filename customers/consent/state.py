"""The consent state of a customer: consents, objections and preferences that hold now. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

type ConsentStatus = Literal["given", "refused", "withdrawn", "expired", "invalidated"]

# The settings of preferences, with their values and scopes.
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
    """The customer's current answer about one purpose, and its ledger entry."""

    state: ConsentStatus
    entry: str
    occurred_at: datetime
    # SHA-256 in hex of the notice that the customer saw. A consent without it is no legal basis.
    notice: str = ""
    valid_until: datetime | None = None
    # The company must not ask again before this moment.
    reask_not_before: datetime | None = None

    def is_reask_paused(self, moment: datetime) -> bool:
        """Tell whether the company must not ask again yet, because the customer refused."""
        until = self.reask_not_before
        return until is not None and self.occurred_at < moment < until


class Setting(msgspec.Struct, frozen=True):
    """One preference that holds. "*" means all channels or all topics."""

    name: str
    value: object
    entry: str
    channel: str = "*"
    topic: str = "*"


class State(msgspec.Struct, frozen=True):
    """The consents, objections and preferences of a customer that hold now."""

    consents: dict[str, Consent] = {}
    # The entry of each objection, by purpose; "marketing" stands for all direct marketing.
    objections: dict[str, str] = {}
    settings: tuple[Setting, ...] = ()
    # The entry that restricts all use (Art. 18 GDPR); empty if there is none.
    restricted: str = ""


# All channels, or all topics.
ANY = "*"
# The channels that preferences can name.
CHANNELS = ("inbox", "email", "sms", "phone")
# The subject of an objection to all direct marketing.
MARKETING = "marketing"


def may_ask(state: State, purpose: str, now: datetime) -> bool:
    """Tell whether the company may ask a customer for a consent on its own initiative."""
    if {purpose, MARKETING} & state.objections.keys():
        return False
    consent = state.consents.get(purpose)
    return consent is None or not (consent.state == "given" or consent.is_reask_paused(now))
