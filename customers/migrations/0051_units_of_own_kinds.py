"""Own kinds of facts say what their number counts."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0050_changes_name_their_source"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="kindsetting",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kindsetting",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kindsetting",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="kindsetting",
            name="unit",
            field=models.CharField(blank=True, default="", max_length=30, verbose_name="what its number counts"),
        ),
        migrations.AddField(
            model_name="kindsettingevent",
            name="unit",
            field=models.CharField(blank=True, default="", max_length=30, verbose_name="what its number counts"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kindsetting",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "unit", "verb") VALUES (NEW."code", NEW."has_amount", NEW."has_duration", NEW."icon", NEW."id", NEW."is_own", NEW."keep_months", NEW."kept_from", NEW."name", NEW."participle", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."unit", NEW."verb"); RETURN NULL;',  # noqa: E501
                    hash="2f27b0529e7559bfc7287a128f829ded2b583571",
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
                    condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."has_amount" IS DISTINCT FROM (NEW."has_amount") OR OLD."has_duration" IS DISTINCT FROM (NEW."has_duration") OR OLD."icon" IS DISTINCT FROM (NEW."icon") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_own" IS DISTINCT FROM (NEW."is_own") OR OLD."keep_months" IS DISTINCT FROM (NEW."keep_months") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."participle" IS DISTINCT FROM (NEW."participle") OR OLD."unit" IS DISTINCT FROM (NEW."unit") OR OLD."verb" IS DISTINCT FROM (NEW."verb"))',  # noqa: E501
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "unit", "verb") VALUES (NEW."code", NEW."has_amount", NEW."has_duration", NEW."icon", NEW."id", NEW."is_own", NEW."keep_months", NEW."kept_from", NEW."name", NEW."participle", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."unit", NEW."verb"); RETURN NULL;',  # noqa: E501
                    hash="68ddb4a2562261d1dd328a7946e84d4c0b76afc0",
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
                    func='INSERT INTO "customers_kindsettingevent" ("code", "has_amount", "has_duration", "icon", "id", "is_own", "keep_months", "kept_from", "name", "participle", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "unit", "verb") VALUES (OLD."code", OLD."has_amount", OLD."has_duration", OLD."icon", OLD."id", OLD."is_own", OLD."keep_months", OLD."kept_from", OLD."name", OLD."participle", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."unit", OLD."verb"); RETURN NULL;',  # noqa: E501
                    hash="229e98d0f530baf59460c3db0ad8943d8d9b5adc",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_dce6d",
                    table="customers_kindsetting",
                    when="AFTER",
                ),
            ),
        ),
    ]
