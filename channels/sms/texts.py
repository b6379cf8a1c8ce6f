"""Sends a single text at once, such as a code that the customer waits for.

The queue of messages, its budgets and the STOP of a number do not concern it.
"""

from uuid import UUID

from uuid_utils.compat import uuid7

from channels.protocol import ChannelMessage
from channels.sms.adapter import adapters
from customers.actions.code_messages import TextOutcome

_NOBODY = UUID(int=0)


def send_text(number: str, text: str) -> TextOutcome:
    """Send a text through the first provider of SMS that takes it."""
    for adapter in adapters():
        for delivery_result in adapter.send([_message(number, text)], lambda: True):
            if delivery_result.suppress == "stopped":
                # The owner of the number stopped our SMS at the provider. The answer is the same as for
                # other numbers, because it would tell that the owner knows this company.
                return TextOutcome.SENT
            if delivery_result.outcome == "rejected":
                return TextOutcome.REFUSED
            if delivery_result.outcome in ("accepted", "uncertain"):
                return TextOutcome.SENT
    return TextOutcome.FAILED


def _message(number: str, text: str) -> ChannelMessage:
    message_id = uuid7()
    return ChannelMessage(
        id=message_id,
        delivery_id=message_id,
        customer_id=_NOBODY,
        to=number,
        language="",
        subject="",
        text=text,
        html="",
        message_class="service_critical",
        topic="",
        is_reported=False,
    )
