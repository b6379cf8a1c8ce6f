"""Counts, for each source and day, the faults in its events that it can correct."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.timezone import localdate

from customers import sql
from customers.types import IngestWarning


def store(warnings: Sequence[IngestWarning], source_id: int, received_at: datetime) -> None:
    """Add the warnings to those of the day, in the open transaction."""
    sql.run(
        "add_source_warnings",
        {
            "source_id": source_id,
            "day": localdate(received_at),
            "warnings": sql.json(warnings),
        },
    )
