"""The warnings of sources. Managers get the permission to see sources."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

roles = import_module("customers.migrations.0009_roles")


class Migration(migrations.Migration):
    # The groups have permissions on models by the names that butler.0017 gave them.
    dependencies = [("customers", "0022_refiled_events"), ("butler", "0017_standard_names")]

    operations = [
        migrations.CreateModel(
            name="SourceWarning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("code", models.CharField(max_length=64)),
                ("count", models.BigIntegerField()),
                ("example", models.TextField()),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="warnings",
                        to="customers.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "day", "code"), name="source_warning_per_day"
                    )
                ],
            },
        ),
        migrations.RunPython(roles.make_groups, migrations.RunPython.noop),
    ]
