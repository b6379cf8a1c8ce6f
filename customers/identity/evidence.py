"""The evidence of what a sender says about who is who in its own space. Pure."""

from customers.types import CLAIMED, CONFIRMED, DESK_CHANNELS, NOTED, STATED, Sender

# The channel of a file of customers from another system. Its sender may know them well.
_IMPORT = "import"


def statement_evidence(sender: Sender, email_verified: object = None) -> int:
    """Return the evidence of a link between an account and a mailbox in an `identify`.

    email_verified: the trait of the event, whose word on its mailbox outweighs the source's.
    Without the trait, the result is the evidence of the other links of this event.
    """
    if not sender.is_trusted:
        return CLAIMED
    match email_verified:
        case True | "true":
            return CONFIRMED
        case False | "false":
            return NOTED
        case _:
            return _usual_evidence(sender)


def _usual_evidence(sender: Sender) -> int:
    """Return the evidence of a trusted sender whose event says nothing about its address."""
    if sender.addresses == "checked":
        return CONFIRMED
    if sender.addresses == "unchecked":
        return NOTED
    if sender.addresses == "stated" and sender.channel == _IMPORT:
        return STATED
    return NOTED if sender.is_shared or sender.channel in DESK_CHANNELS else STATED
