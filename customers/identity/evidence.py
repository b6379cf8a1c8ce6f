"""The evidence of what a sender says about who is who in its own space. Pure."""

from customers.types import CLAIMED, CONFIRMED, DESK_CHANNELS, NOTED, STATED, Sender

# The channel of files of customers from another system, which may have checked the addresses.
_IMPORT = "import"


def statement_evidence(sender: Sender) -> int:
    """Return the evidence of links between accounts, phones and devices of one event."""
    if not sender.is_trusted:
        return CLAIMED
    knows_customers = sender.addresses == "checked" or (
        sender.addresses == "stated" and sender.channel == _IMPORT
    )
    is_desk = sender.is_shared or sender.channel in DESK_CHANNELS
    return NOTED if is_desk and not knows_customers else STATED


def address_evidence(sender: Sender, email_verified: object = None) -> int:
    """Return the evidence of a link between an account and a mailbox in an `identify`.

    email_verified: the trait of the event, which has priority over `sender.addresses`. A desk
    cannot verify a mailbox by this trait.
    """
    stated = statement_evidence(sender)
    if stated < STATED:
        return stated
    if email_verified is True or email_verified == "true":
        return CONFIRMED
    if email_verified is False or email_verified == "false" or sender.addresses == "unchecked":
        return NOTED
    return CONFIRMED if sender.addresses == "checked" else stated


def card_evidence(sender: Sender) -> int:
    """Return the evidence of a link with a card, which a source that checks addresses issued."""
    is_issuer = sender.is_trusted and sender.addresses == "checked"
    return CONFIRMED if is_issuer else statement_evidence(sender)


def own_device_evidence(sender: Sender) -> int:
    """Return the evidence of a link between a signed-in customer and the device of an event.

    sender: the publishable key that sent the event with a customer token. Many people use a shared
    device and the devices of a desk.
    """
    return NOTED if sender.is_shared or sender.channel in DESK_CHANNELS else STATED
