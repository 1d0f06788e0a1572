# ruff: noqa: E501
"""Thresholds that the organisation set, computed values, what a run saw, and marks of what is gone."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0054_school_holidays_and_plain_text"),
        ("labels", "0003_versions_of_imported_labels"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer_id", models.BigIntegerField(null=True)),
                ("household_id", models.BigIntegerField(null=True)),
            ],
            options={
                "verbose_name": "mark of a change",
                "verbose_name_plural": "marks of changes",
            },
        ),
        migrations.CreateModel(
            name="ThresholdSettingEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("family", models.CharField(max_length=40, verbose_name="family")),
                ("code", models.CharField(max_length=40, verbose_name="threshold")),
                ("number", models.FloatField(verbose_name="number")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ValueDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "unit",
                    models.CharField(
                        choices=[("number", "a number"), ("cents", "euros"), ("days", "days")],
                        max_length=8,
                        verbose_name="what it counts",
                    ),
                ),
                ("terms", models.JSONField(verbose_name="formula")),
                ("is_standard", models.BooleanField(default=False, editable=False, verbose_name="standard")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "computed value",
                "verbose_name_plural": "computed values",
                "ordering": ["-is_standard", "name"],
            },
        ),
        migrations.CreateModel(
            name="ValueDefinitionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "unit",
                    models.CharField(
                        choices=[("number", "a number"), ("cents", "euros"), ("days", "days")],
                        max_length=8,
                        verbose_name="what it counts",
                    ),
                ),
                ("terms", models.JSONField(verbose_name="formula")),
                ("is_standard", models.BooleanField(default=False, editable=False, verbose_name="standard")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="affected_count",
            field=models.PositiveIntegerField(null=True, verbose_name="customers looked at"),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="cluster",
            field=models.CharField(blank=True, db_default="", default="", max_length=24),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="fingerprint",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="is_full",
            field=models.BooleanField(db_default=True, default=True, verbose_name="full"),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="parts",
            field=models.JSONField(default=list, verbose_name="per family"),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="seen_xid",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="refreshrun",
            name="why_full",
            field=models.CharField(
                blank=True,
                choices=[
                    ("first", "the first time"),
                    ("asked", "asked for"),
                    ("definitions", "thresholds, worlds, values or profiling changed"),
                    ("weekly", "once a week"),
                    ("moved", "the database was moved or restored"),
                    ("many", "too many customers changed"),
                    ("news", "a new genre or sector"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="why full",
            ),
        ),
        migrations.CreateModel(
            name="CustomerValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.FloatField(verbose_name="number")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="computed_values",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "computed value of a customer",
                "verbose_name_plural": "computed values of customers",
            },
        ),
        migrations.CreateModel(
            name="ThresholdSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("family", models.CharField(max_length=40, verbose_name="family")),
                ("code", models.CharField(max_length=40, verbose_name="threshold")),
                ("number", models.FloatField(verbose_name="number")),
            ],
            options={
                "verbose_name": "threshold",
                "verbose_name_plural": "thresholds",
                "constraints": [models.UniqueConstraint(fields=("family", "code"), name="threshold_once")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="thresholdsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "labels_thresholdsettingevent" ("code", "family", "id", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."family", NEW."id", NEW."number", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                    hash="c0ee17c47d1a035aad2f36078a9ef4bf68a04cb2",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_9b787",
                    table="labels_thresholdsetting",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="thresholdsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "labels_thresholdsettingevent" ("code", "family", "id", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."family", NEW."id", NEW."number", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                    hash="5172efd74d8151b8815bbefeecbb8d923450bd15",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_98443",
                    table="labels_thresholdsetting",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="thresholdsettingevent",
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
            model_name="thresholdsettingevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="labels.thresholdsetting",
            ),
        ),
        migrations.AddField(
            model_name="customervalue",
            name="value",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="numbers",
                to="labels.valuedefinition",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="valuedefinition",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "labels_valuedefinitionevent" ("code", "created_at", "description", "id", "is_standard", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "terms", "unit") VALUES (NEW."code", NEW."created_at", NEW."description", NEW."id", NEW."is_standard", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."terms", NEW."unit"); RETURN NULL;',
                    hash="90931c8c2bc95555856e98521ccec02d7b434f39",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_9ac85",
                    table="labels_valuedefinition",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="valuedefinition",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "labels_valuedefinitionevent" ("code", "created_at", "description", "id", "is_standard", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "terms", "unit") VALUES (NEW."code", NEW."created_at", NEW."description", NEW."id", NEW."is_standard", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."terms", NEW."unit"); RETURN NULL;',
                    hash="25dbb70d9d892a52e8b8f8bc455453e84c448eaa",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_bd008",
                    table="labels_valuedefinition",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="valuedefinitionevent",
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
            model_name="valuedefinitionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="labels.valuedefinition",
            ),
        ),
        migrations.AddConstraint(
            model_name="customervalue",
            constraint=models.UniqueConstraint(
                fields=("customer", "value"), include=("number",), name="computed_value_once"
            ),
        ),
    ]
