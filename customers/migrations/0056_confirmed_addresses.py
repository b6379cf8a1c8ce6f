from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # AddIndexConcurrently does not block writers of links.
    atomic = False

    dependencies = [("customers", "0055_address_activity")]

    operations = [
        AddIndexConcurrently(
            model_name="link",
            index=models.Index(
                fields=["recorded_at", "id"],
                condition=models.Q(state="replaced", evidence__gte=40),
                name="link_pending_confirmed",
            ),
        ),
    ]
