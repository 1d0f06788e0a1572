"""An answer to a text message is looked up by its number, among millions of messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0031_call_lists")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("channel", "sms")), fields=["address"], name="message_to_number"),
        ),
    ]
