from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the index for timelines by time, while events are being written."""

    atomic = False

    dependencies = [("customers", "0051_order_requests_and_moves")]

    operations = [
        AddIndexConcurrently(
            "event",
            models.Index(fields=["customer", "occurred_at", "version"], name="event_by_time"),
        )
    ]
