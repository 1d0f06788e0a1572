"""What is left of a customer's own facts when their retention is over; who set that retention when."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0022_channels_of_known_purposes"),
        ("customers", "0026_requests_and_retention"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.AddField(
            model_name="kindsetting",
            name="kept_from",
            field=models.DateTimeField(editable=False, null=True, verbose_name="kept from"),
        ),
        migrations.CreateModel(
            name="FactRemainder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24, verbose_name="kind")),
                ("origin", models.BigIntegerField(editable=False)),
                ("first_at", models.DateTimeField(verbose_name="first time")),
                ("last_at", models.DateTimeField(verbose_name="last time")),
                ("count", models.IntegerField(verbose_name="count")),
                ("quantity", models.BigIntegerField(verbose_name="quantity")),
                ("amount_cents", models.BigIntegerField(verbose_name="amount")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fact_remainders",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "remainder of facts",
                "verbose_name_plural": "remainders of facts",
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "kind", "origin"), name="fact_remainder_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="KindSettingEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("code", models.SlugField(db_index=False, max_length=24, verbose_name="code")),
                ("is_own", models.BooleanField(default=False, editable=False, verbose_name="own kind")),
                ("name", models.CharField(blank=True, max_length=60, verbose_name="name")),
                ("verb", models.CharField(blank=True, max_length=60, verbose_name="verb in the past tense")),
                ("participle", models.CharField(blank=True, max_length=60, verbose_name="verb after “have”")),
                ("icon", models.CharField(blank=True, max_length=40, verbose_name="icon")),
                ("has_amount", models.BooleanField(default=False, verbose_name="has an amount in euros")),
                ("has_duration", models.BooleanField(default=False, verbose_name="has a duration")),
                (
                    "keep_months",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="kept for months"),
                ),
                ("kept_from", models.DateTimeField(editable=False, null=True, verbose_name="kept from")),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kindsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "verb") VALUES (NEW."code", NEW."has_amount", NEW."has_duration", NEW."icon", NEW."id", NEW."is_own", NEW."keep_months", NEW."kept_from", NEW."name", NEW."participle", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."verb"); RETURN NULL;',  # noqa: E501
                    hash="06dc34f541d035654543f0a3546ed90143a85ae6",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7cb80",
                    table="customers_kindsetting",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kindsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."has_amount" IS DISTINCT FROM (NEW."has_amount") OR OLD."has_duration" IS DISTINCT FROM (NEW."has_duration") OR OLD."icon" IS DISTINCT FROM (NEW."icon") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_own" IS DISTINCT FROM (NEW."is_own") OR OLD."keep_months" IS DISTINCT FROM (NEW."keep_months") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."participle" IS DISTINCT FROM (NEW."participle") OR OLD."verb" IS DISTINCT FROM (NEW."verb"))',  # noqa: E501
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "verb") VALUES (NEW."code", NEW."has_amount", NEW."has_duration", NEW."icon", NEW."id", NEW."is_own", NEW."keep_months", NEW."kept_from", NEW."name", NEW."participle", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."verb"); RETURN NULL;',  # noqa: E501
                    hash="02d82eabcd4aa96d2ab0b4521d5b75eed9deb718",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_18695",
                    table="customers_kindsetting",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kindsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "verb") VALUES (OLD."code", OLD."has_amount", OLD."has_duration", OLD."icon", OLD."id", OLD."is_own", OLD."keep_months", OLD."kept_from", OLD."name", OLD."participle", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."verb"); RETURN NULL;',  # noqa: E501
                    hash="af1878c48e0374985ec20783f9b345ada97db773",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_dce6d",
                    table="customers_kindsetting",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="kindsettingevent",
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
            model_name="kindsettingevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="customers.kindsetting",
            ),
        ),
    ]
