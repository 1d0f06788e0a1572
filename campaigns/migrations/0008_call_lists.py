"""An action may be a call list."""

from django.db import migrations, models

CHANNELS = [
    ("email", "E-mail only"),
    ("letter", "Letter only"),
    ("email_or_letter", "E-mail, or a letter when there is no e-mail address"),
    ("sms", "Text message (SMS) only"),
    ("calls", "Call list: staff ring them"),
]


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_text_messages")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="channels",
            field=models.CharField(choices=CHANNELS, max_length=16, verbose_name="channels"),
        )
        for name in ("action", "actionevent")
    ]
