"""The contract between the dispatcher and the adapters; tests check each adapter against it."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol
from uuid import UUID

import msgspec

type AttemptOutcome = Literal["accepted", "rejected", "transient", "uncertain"]


class ChannelMessage(msgspec.Struct, frozen=True):
    """One rendered message for a channel; all attempts to send it have the same `id`."""

    id: UUID
    delivery_id: UUID
    customer_id: UUID
    to: str
    language: str
    subject: str
    text: str
    html: str
    message_class: str
    topic: str
    # The one-click link (RFC 8058); empty for messages without an unsubscribe link.
    unsubscribe_url: str = ""
    # Further addresses of the customer that get the message, too, while a change of the address
    # waits. The outcome is that of `to` alone.
    copies: tuple[str, ...] = ()
    # Whether the provider reports the delivery. Butler stores nothing about a text with a code.
    is_reported: bool = True


class DeliveryResult(msgspec.Struct, frozen=True):
    """The outcome of sending one message.

    accepted: the provider has the message.
    rejected: the provider refuses the message, and would refuse it again.
    transient: the provider certainly does not have the message; a later attempt may succeed.
    uncertain: it is unknown whether the provider has the message.
    """

    delivery_id: UUID
    outcome: AttemptOutcome
    provider_id: str = ""
    code: str = ""
    # A sentence for staff, without the address and without text of the message.
    detail: str = ""
    # Seconds to wait, if the provider asked for a delay.
    retry_after: float | None = None
    # The reason to add the address to the suppression list: "bounced", "stopped", or empty.
    suppress: str = ""


class ChannelAdapter(Protocol):
    """An adapter that sends the messages of one channel through one provider.

    `send` yields the result of each message as soon as it is known, in the order of the messages.
    It never raises for an error of the provider. It calls `is_lease_open()` right before it sends
    each message. After that returns False, it sends no message and yields no result. Each call to
    a provider takes at most `timeout` seconds.
    """

    # The channel, such as "email", and the provider, such as "smtp".
    channel: str
    provider: str
    # The kind of identifier that is the address: "email", "phone"; empty if it needs none.
    address_kind: str
    # Whether the provider recognizes a second attempt of the same message, so that sending again
    # after an uncertain outcome is harmless.
    is_idempotent: bool
    timeout: float

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: "LeaseCheck"
    ) -> Iterator[DeliveryResult]:
        """Send the messages in their order, and yield a result for each one that was tried."""


class LeaseCheck(Protocol):
    """A function that returns whether the lease of the batch is open and sending is allowed."""

    def __call__(self) -> bool: ...
