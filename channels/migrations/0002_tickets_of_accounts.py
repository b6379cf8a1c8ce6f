from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_stream_tickets")]

    operations = [
        migrations.AddField(
            model_name="streamticket",
            name="account",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="streamticket",
            name="session_key",
            field=models.CharField(blank=True, max_length=40),
        ),
    ]
