from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("butler", "0020_plural_names")]

    operations = [
        migrations.AlterField(
            model_name="stafftask",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "Phone"),
                    ("reply", "Reply"),
                    ("uncertain", "Uncertain"),
                    ("address", "Address"),
                ],
                max_length=16,
            ),
        ),
    ]
