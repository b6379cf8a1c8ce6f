from django.db import migrations


def rename(old: str, new: str) -> str:
    # Decisions are append-only: older ones keep the code that they were made with.
    return (
        f"UPDATE butler_run SET reason = '{new}' WHERE reason = '{old}';"
        f"UPDATE butler_message SET reason = '{new}' WHERE reason = '{old}'"
    )


class Migration(migrations.Migration):
    dependencies = [("butler", "0018_completed_runs")]

    operations = [
        migrations.RunSQL(rename("halted", "pause_switch"), rename("pause_switch", "halted"))
    ]
