"""Secrets with which the servers of sources sign identity tokens."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0033_attached_links"),
    ]

    operations = [
        migrations.AddField(
            "source",
            "identity_secrets",
            ArrayField(
                models.CharField(max_length=200),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
    ]
