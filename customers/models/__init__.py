from customers.models.address_change import AddressChange, AddressRefusal
from customers.models.consent import (
    AccessLogEntry,
    ConsentState,
    LedgerEntry,
    Notice,
    Purpose,
    ReceiptKey,
    Request,
    Suppression,
    Topic,
)
from customers.models.customer import Customer
from customers.models.erasure import Erasure, Tombstone
from customers.models.event import Event, RefiledEvent
from customers.models.idempotency import IdempotencyKey
from customers.models.identifier import (
    BlockedValue,
    Evidence,
    HistoryOpening,
    Identifier,
    Link,
    LinkEvidence,
    LinkKind,
    LinkState,
    ManualDecision,
)
from customers.models.login import User
from customers.models.merges import Merge, Review
from customers.models.numbering import NumberingQuestion
from customers.models.passkey import Passkey, PasskeyChallenge
from customers.models.quarantine import QuarantinedItem
from customers.models.record import Interaction, Order, PartyMember, Trait
from customers.models.search import SearchName
from customers.models.sign_in import AttemptCount, SignInCode
from customers.models.source import Source, SourceKey, SourceWarning, Space
from customers.models.source_move import SourceMove
from customers.models.ticket import GateScan, TicketCode

__all__ = [
    "AccessLogEntry",
    "AddressChange",
    "AddressRefusal",
    "AttemptCount",
    "BlockedValue",
    "ConsentState",
    "Customer",
    "Erasure",
    "Event",
    "Evidence",
    "GateScan",
    "HistoryOpening",
    "IdempotencyKey",
    "Identifier",
    "Interaction",
    "LedgerEntry",
    "Link",
    "LinkEvidence",
    "LinkKind",
    "LinkState",
    "ManualDecision",
    "Merge",
    "Notice",
    "NumberingQuestion",
    "Order",
    "PartyMember",
    "Passkey",
    "PasskeyChallenge",
    "Purpose",
    "QuarantinedItem",
    "ReceiptKey",
    "RefiledEvent",
    "Request",
    "Review",
    "SearchName",
    "SignInCode",
    "Source",
    "SourceKey",
    "SourceMove",
    "SourceWarning",
    "Space",
    "Suppression",
    "TicketCode",
    "Tombstone",
    "Topic",
    "Trait",
    "User",
]
