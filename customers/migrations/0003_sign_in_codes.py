from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_room_for_the_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInCode",
            fields=[
                (
                    "handle_digest",
                    models.BinaryField(max_length=32, primary_key=True, serialize=False),
                ),
                ("code_digest", models.BinaryField(max_length=32)),
                ("email", models.CharField(max_length=254)),
                ("network", models.BinaryField(max_length=16)),
                ("tries", models.SmallIntegerField(default=0)),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("spent_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["email", "requested_at"], name="sign_in_per_address"),
                    models.Index(fields=["network", "requested_at"], name="sign_in_per_network"),
                    models.Index(fields=["requested_at"], name="sign_in_requested_at"),
                ],
            },
        ),
    ]
