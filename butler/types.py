"""The inputs and the results of decisions: frozen values without Django."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from customers.consent.preferences import QuietHours
from customers.consent.state import State

type MessageClass = Literal[
    "legal_duty", "service_critical", "service", "answer", "relationship", "marketing", "peer"
]
type Effect = Literal["allow", "defer", "deny"]
type Layer = Literal["integrity", "legal", "terms", "basis", "preference", "company"]


# The message classes whose basis is a live order, visit or request.
CLASSES_BY_RELATION = frozenset({"service_critical", "service", "answer"})


class Contact(msgspec.Struct, frozen=True):
    """The act of sending a message to a customer through one channel."""

    message_class: str
    topic: str
    channel: str
    # The time of the cause of the message, and the time until which it may be sent.
    occurred_at: datetime
    expires_at: datetime
    # The purpose of the consent, for the classes relationship, marketing and peer.
    purpose: str = ""
    # The relation that permits a service message: "order:A-1001", "visit:2027-04-18",
    # "request:...". It permits the message only if it is live in the facts.
    relation: str = ""
    # The automation that sends the message, for its pause switch. Empty: staff send it.
    automation: str = ""


class Use(msgspec.Struct, frozen=True):
    """The act of using data for a purpose, such as the choice of offers."""

    purpose: str
    data_categories: tuple[str, ...] = ()
    # The relation that needs the use, such as an order. Empty: the use needs consent.
    relation: str = ""


class Address(msgspec.Struct, frozen=True):
    """A verified address of a channel, and the reason for its suppression, if any."""

    value: str
    # "", "bounced", "complained", "stopped"
    suppressed: str = ""
    evidence: str = ""
    # Purposes that an earlier holder refused, before an erasure.
    refused: frozenset[str] = frozenset()
    # False if nobody proved that it is the address of this record.
    is_confirmed: bool = True
    # When its holder said that it is not theirs. Orders that are placed later are of the holder.
    not_mine_at: datetime | None = None


class Relation(msgspec.Struct, frozen=True):
    """A live order, visit or request, and the time in which it permits service messages."""

    kind: Literal["order", "visit", "request"]
    since: datetime
    until: datetime
    evidence: str = ""


class Facts(msgspec.Struct, frozen=True):
    """The facts of a customer at one version. None means unknown, and unknown facts deny."""

    customer: str
    version: int | None
    # Only customers with "live" get messages. Other values: "joined", "restricted", "erased".
    record_status: str | None
    consent_state: State | None
    # By channel. A channel without an address cannot be used, except the inbox.
    addresses: Mapping[str, Address] | None
    # By name, such as "order:A-1001".
    relations: Mapping[str, Relation] | None
    # Whether the customer is old enough to consent in their country.
    is_of_age: bool | None
    # The number of messages sent in each current budget window, by "scope|window".
    used: Mapping[str, int] | None
    # The keys of the pause switches that are engaged: automations, or "*" for all.
    pause_switches: frozenset[str] | None
    # The time zone of the customer; "" if it is unknown.
    zone: str = ""
    language: str = ""
    # Addresses that a till or a desk noted with one order or request, by the name of that relation
    # and the channel. They receive messages about it if the customer has no other address.
    noted_addresses: Mapping[str, Mapping[str, Address]] = {}

    def find_address(self, contact: Contact) -> Address | None:
        """Return the address that a message goes to, or None if there is none."""
        address = (self.addresses or {}).get(contact.channel)
        if address or contact.message_class not in CLASSES_BY_RELATION:
            return address
        return self.noted_addresses.get(contact.relation, {}).get(contact.channel)


class Budget(msgspec.Struct, frozen=True):
    """The largest number of messages per day, ISO week or month, in the customer's time zone."""

    limit: int
    period: Literal["day", "week", "month"]


class Rules(msgspec.Struct, frozen=True):
    """The policy of the company, and the purposes, topics and channels that exist."""

    version: str
    # The company's budgets by class.
    budgets: Mapping[str, Budget]
    # The company's quiet hours by class; service_critical and legal_duty have none.
    quiet_hours: Mapping[str, QuietHours]
    # The possible time zones of customers with an unknown zone. Quiet hours apply in all of them.
    plausible_zones: tuple[str, ...]
    # The kind of each purpose, "contact" or "use", by key.
    purposes: Mapping[str, str]
    topics: frozenset[str]
    channels: frozenset[str]
    # The language of messages to customers whose language is unknown.
    language: str = "en"


class RenderedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a message in one language. Only e-mail has `html`."""

    language: str
    subject: str
    text: str
    html: str = ""


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The result of one check, with references to its evidence."""

    gate: str
    layer: str
    verdict: Literal["pass", "deny", "defer", "basis"]
    code: str
    # The ledger entries, relations and delivery reports that prove the result.
    references: tuple[str, ...] = msgspec.field(default=(), name="evidence")
    inputs: Mapping[str, object] = {}
    # The end of a deferral.
    until: datetime | None = None


class DecisionResult(msgspec.Struct, frozen=True, gc=False):
    """The result of a decision. The last gate is the deciding one, unless the act is allowed."""

    effect: Effect
    # A code of butler.decisions.reasons.catalog.
    code: str
    layer: str
    gates: tuple[Gate, ...]
    until: datetime | None = None
    # The legal basis: "consent:<entry>", "relation:order:A-1001" or "legal_duty".
    basis: str = ""
    # The scope and window of each budget that the message uses: ("email:*", "2027-04-18").
    budget_windows: tuple[tuple[str, str], ...] = ()
    # "person" if staff must handle the message; empty otherwise.
    route_to: str = ""
    language: str = ""
    customer_version: int = 0
    rules_version: str = ""
