import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_what_we_may_do")]

    operations = [
        migrations.AddField(
            model_name="purpose",
            name="details",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddIndex(
            model_name="controlentry",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(
                    (
                        "speaks_for",
                        models.Func(
                            models.F("record"),
                            output_field=django.contrib.postgres.fields.ArrayField(
                                base_field=models.UUIDField()
                            ),
                            template="ARRAY[%(expressions)s]",
                        ),
                    ),
                    _negated=True,
                ),
                fields=["speaks_for"],
                name="control_said_elsewhere",
            ),
        ),
    ]
