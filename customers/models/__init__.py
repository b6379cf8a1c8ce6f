from customers.models.customer import Customer
from customers.models.event import Event
from customers.models.identifier import BlockedValue, Identifier, Link, LinkKind, Trust
from customers.models.ledger import IdempotencyKey, Merge, QuarantinedItem, Review
from customers.models.login import User
from customers.models.record import Interaction, Order, PartyMember, Trait
from customers.models.sign_in import SignInCode
from customers.models.source import Source, SourceKey

__all__ = [
    "BlockedValue",
    "Customer",
    "Event",
    "IdempotencyKey",
    "Identifier",
    "Interaction",
    "Link",
    "LinkKind",
    "Merge",
    "Order",
    "PartyMember",
    "QuarantinedItem",
    "Review",
    "SignInCode",
    "Source",
    "SourceKey",
    "Trait",
    "Trust",
    "User",
]
