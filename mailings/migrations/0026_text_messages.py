"""Text messages: what a content says in one, how they are sent, what became of each, and what readers wrote back."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0025_tests_of_versions"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("vouchers", "0002_books_forget_the_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="SentText",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sent_text",
                        serialize=False,
                        to="mailings.message",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True, db_index=True, max_length=80, verbose_name="reference of the provider"
                    ),
                ),
                ("parts", models.PositiveSmallIntegerField(verbose_name="parts")),
                ("cost_mills", models.PositiveIntegerField(verbose_name="cost")),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[("", "No report yet"), ("delivered", "Arrived"), ("undelivered", "Did not arrive")],
                        max_length=12,
                        verbose_name="delivery",
                    ),
                ),
                ("reported_at", models.DateTimeField(null=True, verbose_name="reported at")),
            ],
            options={
                "verbose_name": "sent text message",
                "verbose_name_plural": "sent text messages",
            },
        ),
        migrations.CreateModel(
            name="ShortText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
            ],
            options={
                "verbose_name": "text of a text message",
                "verbose_name_plural": "texts of text messages",
            },
        ),
        migrations.CreateModel(
            name="ShortTextEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TextReply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("text", models.CharField(max_length=500, verbose_name="answer")),
                ("is_stop", models.BooleanField(default=False, verbose_name="wants no more")),
                ("received_at", models.DateTimeField(verbose_name="received")),
            ],
            options={
                "verbose_name": "answer to a text message",
                "verbose_name_plural": "answers to text messages",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TextSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender", models.CharField(blank=True, max_length=16, verbose_name="sender")),
                ("price_mills", models.PositiveIntegerField(default=75, verbose_name="price per part")),
                ("most_parts", models.PositiveSmallIntegerField(default=3, verbose_name="most parts per message")),
                ("from_hour", models.PositiveSmallIntegerField(default=9, verbose_name="send from (hour)")),
                ("until_hour", models.PositiveSmallIntegerField(default=20, verbose_name="send until (hour)")),
            ],
            options={
                "verbose_name": "settings of text messages",
                "verbose_name_plural": "settings of text messages",
            },
        ),
        migrations.CreateModel(
            name="TextSettingsEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("sender", models.CharField(blank=True, max_length=16, verbose_name="sender")),
                ("price_mills", models.PositiveIntegerField(default=75, verbose_name="price per part")),
                ("most_parts", models.PositiveSmallIntegerField(default=3, verbose_name="most parts per message")),
                ("from_hour", models.PositiveSmallIntegerField(default=9, verbose_name="send from (hour)")),
                ("until_hour", models.PositiveSmallIntegerField(default=20, verbose_name="send until (hour)")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AlterField(
            model_name="caprule",
            name="channel",
            field=models.CharField(
                blank=True,
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="capruleevent",
            name="channel",
            field=models.CharField(
                blank=True,
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="mailing",
            name="channels",
            field=models.CharField(
                choices=[
                    ("email", "E-mail only"),
                    ("letter", "Letter only"),
                    ("email_or_letter", "E-mail, or a letter when there is no e-mail address"),
                    ("sms", "Text message (SMS) only"),
                ],
                max_length=16,
                verbose_name="channels",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AddField(
            model_name="shorttext",
            name="content",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="short_text",
                to="mailings.content",
                verbose_name="content",
            ),
        ),
        migrations.AddField(
            model_name="shorttext",
            name="voucher",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="vouchers.definition",
                verbose_name="voucher",
            ),
        ),
        migrations.AddField(
            model_name="shorttextevent",
            name="content",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="mailings.content",
                verbose_name="content",
            ),
        ),
        migrations.AddField(
            model_name="shorttextevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="shorttextevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="mailings.shorttext",
            ),
        ),
        migrations.AddField(
            model_name="shorttextevent",
            name="voucher",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="vouchers.definition",
                verbose_name="voucher",
            ),
        ),
        migrations.AddField(
            model_name="textreply",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="replies",
                to="mailings.message",
                verbose_name="message",
            ),
        ),
        migrations.AddConstraint(
            model_name="textsettings",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="only_one_row_of_text_settings"),
        ),
        migrations.AddConstraint(
            model_name="textsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_hour__lt", models.F("until_hour")), ("until_hour__lte", 24)),
                name="text_hours_in_order",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="textsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_textsettingsevent" ("from_hour", "id", "most_parts", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_mills", "sender", "until_hour") VALUES (NEW."from_hour", NEW."id", NEW."most_parts", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."price_mills", NEW."sender", NEW."until_hour"); RETURN NULL;',  # noqa: E501
                    hash="cdc73d73e1405cca5cc50c985dd75ccd154e330a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_bfca9",
                    table="mailings_textsettings",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="textsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_textsettingsevent" ("from_hour", "id", "most_parts", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_mills", "sender", "until_hour") VALUES (NEW."from_hour", NEW."id", NEW."most_parts", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."price_mills", NEW."sender", NEW."until_hour"); RETURN NULL;',  # noqa: E501
                    hash="e864f52b2852002f66e11bbf60fb94c25440cf07",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_23d21",
                    table="mailings_textsettings",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="textsettingsevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="textsettingsevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="mailings.textsettings",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shorttext",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_shorttextevent" ("content_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "text", "updated_at", "voucher_id") VALUES (NEW."content_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."text", NEW."updated_at", NEW."voucher_id"); RETURN NULL;',  # noqa: E501
                    hash="f8ff33691db8e61df0161250aeb58a06da0ef5e3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6b25f",
                    table="mailings_shorttext",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shorttext",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_shorttextevent" ("content_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "text", "updated_at", "voucher_id") VALUES (NEW."content_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."text", NEW."updated_at", NEW."voucher_id"); RETURN NULL;',  # noqa: E501
                    hash="05b3b54add98739d7d838bc5e4166fe1710a033b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_62ef8",
                    table="mailings_shorttext",
                    when="AFTER",
                ),
            ),
        ),
    ]
