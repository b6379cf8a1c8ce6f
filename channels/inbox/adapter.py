"""The inbox channel: the row of the message is what the customer reads in app and portal."""

from collections.abc import Iterator, Sequence

from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult, LeaseCheck


class InboxAdapter:
    """The inbox of app and portal. Nobody is called, so nothing can go wrong on the way."""

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
    return (InboxAdapter(),)
