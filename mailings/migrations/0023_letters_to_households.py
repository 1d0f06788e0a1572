import django.db.models.deletion
from django.db import migrations, models

# Of piles that were printed before: their letters in the order of the pile.
EARLIER = """
    INSERT INTO mailings_printedletter (batch_id, number, message_id)
    SELECT batch.id, row_number() OVER (PARTITION BY batch.id ORDER BY customer.postal_code, customer.house_number,
        customer.last_name, message.id), message.id
    FROM mailings_letterbatch AS batch
    JOIN mailings_message AS message ON message.mailing_id = batch.mailing_id AND message.channel = 'post'
        AND message.sent_at = batch.created_at
    JOIN customers_customer AS customer ON customer.id = message.customer_id
    ON CONFLICT (message_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("mailings", "0022_drafts_that_ended")]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="letters_to",
            field=models.CharField(
                choices=[
                    ("person", "Each their own letter"),
                    ("names", "One per household, with all names"),
                    ("family", "One per household, to “Family …”"),
                    ("residents", "One per household, to the residents"),
                ],
                default="person",
                max_length=9,
                verbose_name="letters to",
            ),
        ),
        migrations.CreateModel(
            name="PrintedLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="printed",
                        to="mailings.letterbatch",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="printed_letter",
                        to="mailings.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "printed letter",
                "verbose_name_plural": "printed letters",
                "ordering": ["batch", "number", "id"],
                "indexes": [models.Index(fields=["batch", "number"], name="printed_letter_of_batch")],
            },
        ),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
    ]
