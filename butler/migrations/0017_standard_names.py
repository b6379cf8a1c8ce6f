from django.db import migrations, models
from django.db.models.functions import Cast

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

RUN_ID = models.GeneratedField(
    db_persist=True,
    expression=models.Case(
        models.When(job="run", key__regex=UUID, then=Cast("key", models.UUIDField()))
    ),
    output_field=models.UUIDField(),
)


class Migration(migrations.Migration):
    """Renames tables and columns to the standard terms; no table is rewritten.

    Stop the processes of the version before: they read the old names. Django renames the
    permissions with their models.
    """

    dependencies = [
        ("butler", "0016_notified_audiences"),
    ]

    operations = [
        migrations.RenameModel("Task", "StaffTask"),
        migrations.RenameModel("Pulse", "Heartbeat"),
        migrations.RemoveConstraint("lane", "lane_goes_somehow"),
        migrations.RenameModel("Lane", "ProviderLimit"),
        migrations.RenameField("providerlimit", "rests_until", "cooldown_until"),
        migrations.AddConstraint(
            "providerlimit",
            models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)),
                name="provider_limit_rate_is_positive",
                violation_error_message="Above 0, or empty for no limit. A switch stops it.",
            ),
        ),
        migrations.RemoveConstraint("halt", "halt_stands_once_per_key"),
        migrations.RenameModel("Halt", "PauseSwitch"),
        migrations.RenameField("pauseswitch", "thrown_at", "engaged_at"),
        migrations.RenameField("pauseswitch", "thrown_by", "engaged_by"),
        migrations.RenameField("pauseswitch", "lifted_at", "released_at"),
        migrations.RenameField("pauseswitch", "lifted_by", "released_by"),
        migrations.AddConstraint(
            "pauseswitch",
            models.UniqueConstraint(
                condition=models.Q(("released_at__isnull", True)),
                fields=("key",),
                name="pause_switch_engaged_once_per_key",
            ),
        ),
        migrations.RenameField("delivery", "takes", "budget_windows"),
        # Postgres keeps the generated column and the constraint, which follow the column's name.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE butler_due RENAME COLUMN duty TO job",
                    "ALTER TABLE butler_due RENAME COLUMN job TO duty",
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint("due", "due_once_per_key"),
                migrations.RemoveField("due", "run_id"),
                migrations.RenameField("due", "duty", "job"),
                migrations.AddField("due", "run_id", RUN_ID),
                migrations.AddConstraint(
                    "due",
                    models.UniqueConstraint(fields=("job", "key"), name="due_once_per_key"),
                ),
            ],
        ),
        # The recurring jobs; a tick inserts the row of the heartbeat where it is missing.
        migrations.RunSQL(
            "UPDATE butler_due SET key = 'recurring' WHERE key = 'standing' AND job <> 'pulses';"
            "DELETE FROM butler_due WHERE job = 'pulses'",
            "UPDATE butler_due SET key = 'standing' WHERE key = 'recurring' AND job <> 'heartbeat';"
            "DELETE FROM butler_due WHERE job = 'heartbeat'",
        ),
    ]
