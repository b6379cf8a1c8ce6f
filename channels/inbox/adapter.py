"""The adapter of the inbox channel. App and portal show the stored message itself."""

from collections.abc import Iterator, Sequence

from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult, LeaseCheck


class InboxAdapter:
    """The inbox of app and portal. It calls no provider, so sending cannot fail."""

    channel = "inbox"
    provider = "butler"
    address_kind = ""
    is_idempotent = True
    timeout = 1.0

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Accept each message: the inbox shows it as soon as the outcome is stored."""
        for message in messages:
            if not is_lease_open():
                return
            yield DeliveryResult(message.delivery_id, "accepted", provider_id=str(message.id))


def adapters() -> tuple[ChannelAdapter, ...]:
    """Return the adapter of the inbox, which needs no settings."""
    return (InboxAdapter(),)
