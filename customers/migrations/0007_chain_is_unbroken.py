"""No two rows of the ledger in one place of a chain."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_chain_of_consents")]

    operations = [
        migrations.AddConstraint(
            "consent",
            models.UniqueConstraint(fields=["subject_id", "position"], name="consent_chain"),
        ),
    ]
