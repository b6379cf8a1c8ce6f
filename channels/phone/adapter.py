"""The adapter of the phone channel, which creates a staff task to call the customer."""

from collections.abc import Iterator, Sequence

from django.db import Error, transaction
from django.utils import timezone

from butler.actions import staff_tasks
from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult, LeaseCheck


class PhoneAdapter:
    """Create one staff task for each message, even if the message is sent again."""

    channel = "phone"
    provider = "staff"
    address_kind = "phone"
    is_idempotent = True
    timeout = 5.0

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Create a staff task for each message."""
        for message in messages:
            if not is_lease_open():
                return
            yield _create_staff_task(message)


def adapters() -> tuple[ChannelAdapter, ...]:
    """Return the adapter that makes tasks for staff who call, which needs no settings."""
    return (PhoneAdapter(),)


def _create_staff_task(message: ChannelMessage) -> DeliveryResult:
    try:
        with transaction.atomic():
            task_id = staff_tasks.create(
                key=f"message:{message.id}",
                kind="phone",
                customer_id=message.customer_id,
                title=_storable(message.subject),
                body=_storable(message.text),
                due_at=timezone.now(),  # noqa: TID251  an adapter reads the clock
                message_id=message.id,
            )
    except Error as error:
        # The commit may have succeeded. The key makes a second attempt harmless.
        return DeliveryResult(
            message.delivery_id, "uncertain", code="database", detail=type(error).__name__
        )
    return DeliveryResult(message.delivery_id, "accepted", provider_id=str(task_id))


def _storable(text: str) -> str:
    """Return the text without NUL and lone surrogates, which Postgres cannot store."""
    return text.replace("\x00", " ").encode(errors="replace").decode()
