"""Call lists: how customers are called, and each call."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0030_returned_letters"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CallSettingsEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("from_hour", models.PositiveSmallIntegerField(default=10, verbose_name="call from (hour)")),
                ("until_hour", models.PositiveSmallIntegerField(default=21, verbose_name="call until (hour)")),
                ("per_day", models.PositiveIntegerField(default=0, verbose_name="most calls a day")),
                (
                    "most_attempts",
                    models.PositiveSmallIntegerField(default=3, verbose_name="how often somebody is tried"),
                ),
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
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message"), ("phone", "Telephone call")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="capruleevent",
            name="channel",
            field=models.CharField(
                blank=True,
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message"), ("phone", "Telephone call")],
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
                    ("calls", "Call list: staff ring them"),
                ],
                max_length=16,
                verbose_name="channels",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("post", "Letter"), ("sms", "Text message"), ("phone", "Telephone call")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("reached", "Spoke with the customer"),
                            ("not_reached", "Not reached"),
                            ("later", "To be called again later"),
                            ("wants_none", "Does not want to be called any more"),
                            ("wrong_number", "Wrong number"),
                        ],
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="what was said")),
                ("again_on", models.DateField(null=True, verbose_name="call again on")),
                ("called_at", models.DateTimeField(db_index=True, verbose_name="called at")),
                (
                    "called_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="mailings.message",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "verbose_name_plural": "calls",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CallSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_hour", models.PositiveSmallIntegerField(default=10, verbose_name="call from (hour)")),
                ("until_hour", models.PositiveSmallIntegerField(default=21, verbose_name="call until (hour)")),
                ("per_day", models.PositiveIntegerField(default=0, verbose_name="most calls a day")),
                (
                    "most_attempts",
                    models.PositiveSmallIntegerField(default=3, verbose_name="how often somebody is tried"),
                ),
            ],
            options={
                "verbose_name": "settings of calling",
                "verbose_name_plural": "settings of calling",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="only_one_row_of_call_settings"),
                    models.CheckConstraint(
                        condition=models.Q(("from_hour__lt", models.F("until_hour")), ("until_hour__lte", 24)),
                        name="call_hours_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("most_attempts__gte", 1)), name="somebody_is_tried_once"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_callsettingsevent" ("from_hour", "id", "most_attempts", "per_day", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "until_hour") VALUES (NEW."from_hour", NEW."id", NEW."most_attempts", NEW."per_day", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."until_hour"); RETURN NULL;',  # noqa: E501
                    hash="76ce8c0e04d94ac57e4e3dca3f25f3d77f720e63",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_14c50",
                    table="mailings_callsettings",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_callsettingsevent" ("from_hour", "id", "most_attempts", "per_day", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "until_hour") VALUES (NEW."from_hour", NEW."id", NEW."most_attempts", NEW."per_day", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."until_hour"); RETURN NULL;',  # noqa: E501
                    hash="52b5ca0db47bc5dc57a95c1621ecc98264fcb4ab",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_76a11",
                    table="mailings_callsettings",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="callsettingsevent",
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
            model_name="callsettingsevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="mailings.callsettings",
            ),
        ),
    ]
