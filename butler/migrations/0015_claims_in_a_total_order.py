from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Builds the indexes that claims read without blocking writers, then drops the old ones."""

    atomic = False

    dependencies = [
        ("butler", "0014_due_rows_name_their_run"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="due",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["due_at", "id"],
                name="due_in_order",
            ),
        ),
        RemoveIndexConcurrently(model_name="due", name="due_waiting"),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["channel", "priority", "not_before", "id"],
                name="message_in_order",
            ),
        ),
        RemoveIndexConcurrently(model_name="message", name="message_waiting"),
    ]
