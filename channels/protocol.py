"""The contract between the dispatcher and the channels; every adapter is tested against it."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol
from uuid import UUID

import msgspec

type AttemptOutcome = Literal["accepted", "rejected", "transient", "uncertain"]


class ChannelMessage(msgspec.Struct, frozen=True):
    """One rendered message for a channel. `id` is the same at every attempt."""

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
    # The one-click link (RFC 8058); empty where the message cannot be unsubscribed from.
    unsubscribe_url: str = ""


class DeliveryResult(msgspec.Struct, frozen=True):
    """The outcome of sending one message.

    accepted: the provider has it. rejected: it never will, trying again is pointless.
    transient: it certainly has not, later it may. uncertain: nobody knows whether it has.
    """

    delivery_id: UUID
    outcome: AttemptOutcome
    provider_id: str = ""
    code: str = ""
    # For people; never an address, never a word of the message.
    detail: str = ""
    # Seconds, as the provider asked for.
    retry_after: float | None = None
    # Nothing at all is to go to this address any more: "bounced", "stopped".
    suppress: str = ""


class ChannelAdapter(Protocol):
    """Sends the messages of one channel through one provider.

    `send` yields one result for each message, in order, as soon as it has it. It never raises
    for an error of the provider. It calls `is_lease_open()` right before it sends each message:
    once that returns False, it sends no further message and yields no further result. Each call
    to a provider takes at most `timeout` seconds.
    """

    # The channel, such as "email"; and who is behind it, such as "smtp".
    channel: str
    provider: str
    # The kind of identifier that is its address: "email", "phone"; empty: needs none.
    address_kind: str
    # Whether the provider can tell two attempts of one message apart, so that sending again
    # after an uncertain outcome is harmless.
    is_idempotent: bool
    timeout: float

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: "LeaseCheck"
    ) -> Iterator[DeliveryResult]: ...


class LeaseCheck(Protocol):
    """Returns whether the lease of the batch is still open, so that messages may be sent."""

    def __call__(self) -> bool: ...
