"""The inputs and the outcome of decisions: frozen values, no Django."""

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


class Contact(msgspec.Struct, frozen=True):
    """Sending a message to a customer through one channel."""

    message_class: str
    topic: str
    channel: str
    # What it was that happened; a message about yesterday's closed ride is stale.
    occurred_at: datetime
    expires_at: datetime
    # For what consent is needed: relationship, marketing and peer.
    purpose: str = ""
    # What gives the right to a service message: "order:A-1001", "visit:2027-04-18",
    # "request:..."; it must be live in the facts, a word here opens nothing.
    relation: str = ""
    # The automation it comes from, for its switch; empty: a person sends it.
    automation: str = ""


class Use(msgspec.Struct, frozen=True):
    """Using data for a purpose, such as to choose what is offered."""

    purpose: str
    data_categories: tuple[str, ...] = ()
    # Whose relation it serves, where it is needed for what was ordered.
    relation: str = ""


class Address(msgspec.Struct, frozen=True):
    """A verified address of a channel, and why no message may go there, if so."""

    value: str
    # "", "bounced", "complained", "stopped"
    suppressed: str = ""
    evidence: str = ""


class Relation(msgspec.Struct, frozen=True):
    """A live order, visit or request, and until when it permits service messages."""

    kind: Literal["order", "visit", "request"]
    since: datetime
    until: datetime
    evidence: str = ""


class Facts(msgspec.Struct, frozen=True):
    """The facts of a customer at one version. None: unknown, which denies."""

    customer: str
    version: int | None
    # "live"; anything else ("joined", "restricted", "erased") is nobody to speak to.
    record_status: str | None
    control: State | None
    # By channel; a channel that is missing cannot reach them. The inbox needs no address.
    addresses: Mapping[str, Address] | None
    # By name, such as "order:A-1001".
    relations: Mapping[str, Relation] | None
    # Whether consents of this customer count: old enough where they live, or a guardian said.
    is_of_age: bool | None
    # By "scope|window": how many messages were sent in the current windows.
    used: Mapping[str, int] | None
    # The keys of the pause switches that are engaged: automations, or "*" for all.
    halted: frozenset[str] | None
    # Where the customer is: the stated zone, or that of their device. "" where nobody knows.
    zone: str = ""
    language: str = ""


class Budget(msgspec.Struct, frozen=True):
    """At most so many messages a day, ISO week or month, in the customer's calendar."""

    limit: int
    period: Literal["day", "week", "month"]


class Rules(msgspec.Struct, frozen=True):
    """The company's policy, and the purposes, topics and channels that exist."""

    version: str
    # The company's budgets by class.
    budgets: Mapping[str, Budget]
    # The company's quiet hours by class; service_critical and legal_duty have none.
    quiet_hours: Mapping[str, QuietHours]
    # Where customers could be whose zone is unknown: quiet hours are observed in all of these.
    plausible_zones: tuple[str, ...]
    # The purposes that there are, by key: "contact" or "use".
    purposes: Mapping[str, str]
    topics: frozenset[str]
    channels: frozenset[str]
    # The language of messages to customers whose language is unknown.
    language: str = "en"


class RenderedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a message in one language; `html` is empty unless it is mail."""

    language: str
    subject: str
    text: str
    html: str = ""


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The answer of one check, with references to its reasons."""

    gate: str
    layer: str
    verdict: Literal["pass", "deny", "defer", "basis"]
    code: str
    # Entries of the ledger, relations and receipts that prove the answer.
    references: tuple[str, ...] = msgspec.field(default=(), name="evidence")
    inputs: Mapping[str, object] = {}
    # Where it defers.
    until: datetime | None = None


class DecisionResult(msgspec.Struct, frozen=True, gc=False):
    """Whether an act is allowed, and why. The last of the gates decided."""

    effect: Effect
    # butler.decisions.reasons.catalog has the sentence for it.
    code: str
    layer: str
    gates: tuple[Gate, ...]
    until: datetime | None = None
    # What carries it: "consent:<entry>", "relation:order:A-1001", "legal_duty".
    basis: str = ""
    # The scope and window of each budget that the message uses: ("email:*", "2027-04-18").
    budget_windows: tuple[tuple[str, str], ...] = ()
    # To be done by a person instead: "person_first".
    route_to: str = ""
    language: str = ""
    customer_version: int = 0
    rules_version: str = ""
