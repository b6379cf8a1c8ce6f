from django.db import migrations, models
from django.db.models.functions import Cast

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class Migration(migrations.Migration):
    """Rewrites butler_due once, which fills the column of the rows that are there.

    Postgres computes the column for processes of the version before, too, which insert due rows
    until they are restarted.
    """

    dependencies = [
        ("butler", "0013_the_lease_is_the_attempts"),
    ]

    operations = [
        migrations.AddField(
            model_name="due",
            name="run_id",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(duty="run", key__regex=UUID, then=Cast("key", models.UUIDField()))
                ),
                output_field=models.UUIDField(),
            ),
        ),
    ]
