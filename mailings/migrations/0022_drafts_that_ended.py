"""What is under way while a form of the editor is saved does not come back as unsaved work."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0021_messages_of_a_customer_by_one_index")]

    operations = [
        migrations.AddField("draft", "form", models.CharField(default="", max_length=32)),
        migrations.AddField("draft", "step", models.PositiveIntegerField(default=0)),
    ]
