"""What a way out to customers promises: the contract that every adapter is tested against."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol
from uuid import UUID

import msgspec

type Result = Literal["accepted", "rejected", "transient", "uncertain"]


class Parcel(msgspec.Struct, frozen=True):
    """One message ready to leave. `id` is the same at every attempt."""

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
    # Where one tap ends messages of this kind (RFC 8058); empty where nothing can be ended.
    unsubscribe_url: str = ""


class Handover(msgspec.Struct, frozen=True):
    """What came of handing one parcel over.

    accepted: the provider has it. rejected: it never will, trying again is pointless.
    transient: it certainly has not, later it may. uncertain: nobody knows whether it has.
    """

    delivery_id: UUID
    result: Result
    provider_id: str = ""
    code: str = ""
    # For people; never an address, never a word of the message.
    detail: str = ""
    # Seconds, as the provider asked for.
    retry_after: float | None = None
    # Nothing at all is to go to this address any more: "bounced", "stopped".
    suppress: str = ""


class Adapter(Protocol):
    """One way out.

    `hand_over` yields as it goes, one outcome a parcel, in order; it never raises for what a
    provider does, and looks at `is_open()` right before each parcel leaves: once that says no,
    the rest of the parcels are not yielded and must not leave. Each call to a provider is
    bounded by `timeout` seconds.
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

    def hand_over(self, parcels: Sequence[Parcel], is_open: "IsOpen") -> Iterator[Handover]: ...


class IsOpen(Protocol):
    """Tells whether parcels may still leave; the clock of the lease, not of the wall."""

    def __call__(self) -> bool: ...
