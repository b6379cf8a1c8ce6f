"""The way out by phone: a person calls. What is handed over is a task on their list."""

from collections.abc import Iterator, Sequence

from django.db import Error, transaction
from django.utils import timezone

from butler.actions import staff_tasks
from channels.protocol import Adapter, Handover, IsOpen, Parcel


class PhoneAdapter:
    """A task for the staff, one for each message however often it is handed over."""

    channel = "phone"
    provider = "staff"
    address_kind = "phone"
    is_idempotent = True
    timeout = 5.0

    def hand_over(self, parcels: Sequence[Parcel], is_open: IsOpen) -> Iterator[Handover]:
        """Put each parcel on the list of what is to be done."""
        for parcel in parcels:
            if not is_open():
                return
            yield _handed_over(parcel)


def adapters() -> tuple[Adapter, ...]:
    return (PhoneAdapter(),)


def _handed_over(parcel: Parcel) -> Handover:
    try:
        with transaction.atomic():
            task_id = staff_tasks.create(
                key=f"message:{parcel.id}",
                kind="phone",
                customer_id=parcel.customer_id,
                title=_storable(parcel.subject),
                body=_storable(parcel.text),
                due_at=timezone.now(),  # noqa: TID251  a way out is an edge
                message_id=parcel.id,
            )
    except Error as error:
        # Its commit may have come through; the key makes trying again harmless.
        return Handover(
            parcel.delivery_id, "uncertain", code="database", detail=type(error).__name__
        )
    return Handover(parcel.delivery_id, "accepted", provider_id=str(task_id))


def _storable(text: str) -> str:
    """Return text as Postgres takes it: without NUL and lone surrogates."""
    return text.replace("\x00", " ").encode(errors="replace").decode()
