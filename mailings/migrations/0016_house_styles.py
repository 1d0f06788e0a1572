"""The house style takes over the accent colour of the settings and the sender address of branches."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0059_email_of_branches"),
        ("mailings", "0015_unsubscribe_reasons"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="HouseStyle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("accent", models.CharField(blank=True, max_length=7, verbose_name="accent colour")),
                (
                    "font",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("arial", "Arial"),
                            ("verdana", "Verdana"),
                            ("tahoma", "Tahoma"),
                            ("trebuchet", "Trebuchet"),
                            ("georgia", "Georgia"),
                        ],
                        max_length=12,
                        verbose_name="font",
                    ),
                ),
                ("sender_name", models.CharField(blank=True, max_length=80, verbose_name="sender name")),
                ("sender_email", models.EmailField(blank=True, max_length=254, verbose_name="sender address")),
                ("social", models.JSONField(blank=True, default=dict, verbose_name="social media")),
            ],
            options={
                "verbose_name": "house style",
                "verbose_name_plural": "house styles",
            },
        ),
        migrations.CreateModel(
            name="HouseStyleEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("accent", models.CharField(blank=True, max_length=7, verbose_name="accent colour")),
                (
                    "font",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("arial", "Arial"),
                            ("verdana", "Verdana"),
                            ("tahoma", "Tahoma"),
                            ("trebuchet", "Trebuchet"),
                            ("georgia", "Georgia"),
                        ],
                        max_length=12,
                        verbose_name="font",
                    ),
                ),
                ("sender_name", models.CharField(blank=True, max_length=80, verbose_name="sender name")),
                ("sender_email", models.EmailField(blank=True, max_length=254, verbose_name="sender address")),
                ("social", models.JSONField(blank=True, default=dict, verbose_name="social media")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="housestyle",
            name="branch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="styles",
                to="customers.branch",
                verbose_name="branch",
            ),
        ),
        migrations.AddField(
            model_name="housestyle",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="mailings.picture",
                verbose_name="logo",
            ),
        ),
        migrations.AddField(
            model_name="housestyleevent",
            name="branch",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="customers.branch",
                verbose_name="branch",
            ),
        ),
        migrations.AddField(
            model_name="housestyleevent",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="mailings.picture",
                verbose_name="logo",
            ),
        ),
        migrations.AddField(
            model_name="housestyleevent",
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
            model_name="housestyleevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="mailings.housestyle",
            ),
        ),
        migrations.AddConstraint(
            model_name="housestyle",
            constraint=models.UniqueConstraint(fields=("branch",), name="one_style_per_branch", nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name="housestyle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("branch__isnull", False), models.Q(("sender_email", ""), ("sender_name", "")), _connector="OR"
                ),
                name="organisation_sends_by_its_settings",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="housestyle",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_housestyleevent" ("accent", "branch_id", "font", "id", "logo_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sender_email", "sender_name", "social") VALUES (NEW."accent", NEW."branch_id", NEW."font", NEW."id", NEW."logo_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."sender_email", NEW."sender_name", NEW."social"); RETURN NULL;',  # noqa: E501
                    hash="c9a6e75f07d46d5d257b4af508e291d7c662e706",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_1e287",
                    table="mailings_housestyle",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="housestyle",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_housestyleevent" ("accent", "branch_id", "font", "id", "logo_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sender_email", "sender_name", "social") VALUES (NEW."accent", NEW."branch_id", NEW."font", NEW."id", NEW."logo_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."sender_email", NEW."sender_name", NEW."social"); RETURN NULL;',  # noqa: E501
                    hash="bacd6bc26447dfcaa162a38d3722e7de6fbc4e97",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_cffc0",
                    table="mailings_housestyle",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(
            """
            INSERT INTO mailings_housestyle (branch_id, accent, font, sender_name, sender_email, social)
            SELECT NULL::bigint, accent_colour, '', '', '', '{}'::jsonb FROM mailings_sendingsettings
            UNION ALL
            SELECT id, '', '', '', email, '{}'::jsonb FROM customers_branch WHERE email <> ''
            """,
            """
            UPDATE mailings_sendingsettings SET accent_colour = style.accent
            FROM mailings_housestyle AS style WHERE style.branch_id IS NULL AND style.accent <> ''
            """,
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="sendingsettings",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="sendingsettings",
            name="update_update",
        ),
        migrations.RemoveField(
            model_name="sendingsettings",
            name="accent_colour",
        ),
        migrations.RemoveField(
            model_name="sendingsettingsevent",
            name="accent_colour",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sendingsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_sendingsettingsevent" ("approval_from", "brake_after", "brake_bounces", "brake_complaints", "brake_unsubscribes", "hold_out_percent", "id", "minimum_age", "organisation", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_address", "privacy_url", "reply_to", "send_days", "send_from_hour", "send_until_hour", "sender_email", "sender_name", "unsubscribe_email", "wait_days") VALUES (NEW."approval_from", NEW."brake_after", NEW."brake_bounces", NEW."brake_complaints", NEW."brake_unsubscribes", NEW."hold_out_percent", NEW."id", NEW."minimum_age", NEW."organisation", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."postal_address", NEW."privacy_url", NEW."reply_to", NEW."send_days", NEW."send_from_hour", NEW."send_until_hour", NEW."sender_email", NEW."sender_name", NEW."unsubscribe_email", NEW."wait_days"); RETURN NULL;',  # noqa: E501
                    hash="e87a63a363d18e9bb4196c01eeeacc86e985e800",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_b17d6",
                    table="mailings_sendingsettings",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sendingsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_sendingsettingsevent" ("approval_from", "brake_after", "brake_bounces", "brake_complaints", "brake_unsubscribes", "hold_out_percent", "id", "minimum_age", "organisation", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_address", "privacy_url", "reply_to", "send_days", "send_from_hour", "send_until_hour", "sender_email", "sender_name", "unsubscribe_email", "wait_days") VALUES (NEW."approval_from", NEW."brake_after", NEW."brake_bounces", NEW."brake_complaints", NEW."brake_unsubscribes", NEW."hold_out_percent", NEW."id", NEW."minimum_age", NEW."organisation", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."postal_address", NEW."privacy_url", NEW."reply_to", NEW."send_days", NEW."send_from_hour", NEW."send_until_hour", NEW."sender_email", NEW."sender_name", NEW."unsubscribe_email", NEW."wait_days"); RETURN NULL;',  # noqa: E501
                    hash="dc548f8d49990617516ec06ec9b952f684bf1661",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3e90b",
                    table="mailings_sendingsettings",
                    when="AFTER",
                ),
            ),
        ),
    ]
