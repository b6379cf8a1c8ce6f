"""The state of links that attach an identifier to a record, which was "hung" before."""

from django.db import migrations, models

_STATES = [
    ("filed", "Filed"),
    ("joined", "Joined"),
    ("attached", "Attached"),
    ("contested", "Contested"),
    ("replaced", "Replaced"),
]
_ENDS = ("first", "second")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0032_plural_names"),
    ]

    operations = [
        migrations.RemoveConstraint("link", "link_state_is_known"),
        *(migrations.RemoveIndex("link", f"link_acts_{end}") for end in _ENDS),
        *(migrations.RemoveIndex("link", f"link_order_{end}") for end in _ENDS),
        migrations.RunSQL(
            "UPDATE customers_link SET state = 'attached' WHERE state = 'hung';",
            "UPDATE customers_link SET state = 'hung' WHERE state = 'attached';",
        ),
        migrations.AlterField(
            "link", "state", models.CharField(choices=_STATES, default="filed", max_length=9)
        ),
        migrations.AddConstraint(
            "link",
            models.CheckConstraint(
                condition=models.Q(state__in=[state for state, _ in _STATES]),
                name="link_state_is_known",
            ),
        ),
        *(
            migrations.AddIndex(
                "link",
                models.Index(
                    fields=[end, "state"],
                    condition=models.Q(state__in=["joined", "attached"]),
                    name=f"link_acts_{end}",
                ),
            )
            for end in _ENDS
        ),
        *(
            migrations.AddIndex(
                "link",
                models.Index(
                    fields=[end, "-evidence", "occurred_at", "arrival"],
                    condition=models.Q(state__in=["attached", "contested"]),
                    name=f"link_order_{end}",
                ),
            )
            for end in _ENDS
        ),
    ]
