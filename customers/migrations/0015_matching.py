"""How likely is certain: the thresholds of matching, and an index that finds who was born on the same day."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0030_remainders_of_facts"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "possible_from",
                    models.PositiveSmallIntegerField(default=60, verbose_name="shown as a possible duplicate from"),
                ),
                ("certain_from", models.PositiveSmallIntegerField(default=95, verbose_name="merged by itself from")),
                ("merges_itself", models.BooleanField(default=True, verbose_name="merge what is certain")),
                ("matched_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "settings of matching",
                "verbose_name_plural": "settings of matching",
            },
        ),
        migrations.CreateModel(
            name="MatchSettingsEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "possible_from",
                    models.PositiveSmallIntegerField(default=60, verbose_name="shown as a possible duplicate from"),
                ),
                ("certain_from", models.PositiveSmallIntegerField(default=95, verbose_name="merged by itself from")),
                ("merges_itself", models.BooleanField(default=True, verbose_name="merge what is certain")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["birth_date"], name="customer_birth_date"),
        ),
        migrations.AddConstraint(
            model_name="matchsettings",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="one_row_of_match_settings"),
        ),
        migrations.AddConstraint(
            model_name="matchsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("certain_from__lte", 100),
                    ("possible_from__gte", 1),
                    ("possible_from__lte", models.F("certain_from")),
                ),
                name="match_thresholds_in_order",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="matchsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_matchsettingsevent" ("certain_from", "id", "merges_itself", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "possible_from") VALUES (NEW."certain_from", NEW."id", NEW."merges_itself", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."possible_from"); RETURN NULL;',  # noqa: E501
                    hash="c9d23df96b1bcfbfa95fa160bda6e7c4e25e0624",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_e3836",
                    table="customers_matchsettings",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="matchsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."certain_from" IS DISTINCT FROM (NEW."certain_from") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."merges_itself" IS DISTINCT FROM (NEW."merges_itself") OR OLD."possible_from" IS DISTINCT FROM (NEW."possible_from"))',  # noqa: E501
                    func='INSERT INTO "customers_matchsettingsevent" ("certain_from", "id", "merges_itself", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "possible_from") VALUES (NEW."certain_from", NEW."id", NEW."merges_itself", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."possible_from"); RETURN NULL;',  # noqa: E501
                    hash="641ebd19238f70ef5806f8c3de789914610e5dfc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a3e33",
                    table="customers_matchsettings",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="matchsettingsevent",
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
            model_name="matchsettingsevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="customers.matchsettings",
            ),
        ),
    ]
