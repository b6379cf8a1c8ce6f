"""The consent state of a customer: everything that they said we may and may not do. Pure."""

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
    """The answer about one purpose that holds now, and the entry that states it."""

    state: ConsentState
    entry: str
    occurred_at: datetime
    # SHA-256 of the text that was shown, in hex; without it a consent is no basis.
    notice: str = ""
    valid_until: datetime | None = None
    # We do not ask again before this.
    reask_not_before: datetime | None = None

    def is_reask_paused(self, moment: datetime) -> bool:
        """Tell whether the customer must not be asked again at this moment, after a no."""
        until = self.reask_not_before
        return until is not None and self.occurred_at < moment < until


class Setting(msgspec.Struct, frozen=True):
    """One preference that holds; "*" is every channel, every topic."""

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


# Every channel, every topic.
ANY = "*"
# Ways to reach a customer, as far as preferences name them.
CHANNELS = ("inbox", "email", "sms", "phone")
# What an objection to all direct marketing is about.
MARKETING = "marketing"


def may_ask(state: State, purpose: str, now: datetime) -> bool:
    """Tell whether a customer may be asked for a purpose without having brought it up."""
    if {purpose, MARKETING} & state.objections.keys():
        return False
    consent = state.consents.get(purpose)
    return consent is None or not (consent.state == "given" or consent.is_reask_paused(now))
