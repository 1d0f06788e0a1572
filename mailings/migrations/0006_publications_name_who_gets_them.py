"""A publication names who gets it, and may be of any channel."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0005_publications"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="publication",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="publication",
            name="update_update",
        ),
        migrations.AddField(
            model_name="publication",
            name="recipient",
            field=models.CharField(blank=True, max_length=120, verbose_name="who gets it"),
        ),
        migrations.AddField(
            model_name="publicationevent",
            name="recipient",
            field=models.CharField(blank=True, max_length=120, verbose_name="who gets it"),
        ),
        migrations.AlterField(
            model_name="publication",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("post", "Post"), ("phone", "Phone"), ("sms", "SMS")],
                default="email",
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="publicationevent",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("post", "Post"), ("phone", "Phone"), ("sms", "SMS")],
                default="email",
                max_length=8,
                verbose_name="channel",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publication",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_publicationevent" ("channel", "columns", "created_at", "daily_at", "has_file", "id", "is_active", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id", "recipient", "webhook_url") VALUES (NEW."channel", NEW."columns", NEW."created_at", NEW."daily_at", NEW."has_file", NEW."id", NEW."is_active", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."purpose_id", NEW."recipient", NEW."webhook_url"); RETURN NULL;',  # noqa: E501
                    hash="329085643ca3f4f0a1bc87f34790665fd1365ff4",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_b0b70",
                    table="mailings_publication",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="publication",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."columns" IS DISTINCT FROM (NEW."columns") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."daily_at" IS DISTINCT FROM (NEW."daily_at") OR OLD."has_file" IS DISTINCT FROM (NEW."has_file") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."purpose_id" IS DISTINCT FROM (NEW."purpose_id") OR OLD."recipient" IS DISTINCT FROM (NEW."recipient") OR OLD."webhook_url" IS DISTINCT FROM (NEW."webhook_url"))',  # noqa: E501
                    func='INSERT INTO "mailings_publicationevent" ("channel", "columns", "created_at", "daily_at", "has_file", "id", "is_active", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id", "recipient", "webhook_url") VALUES (NEW."channel", NEW."columns", NEW."created_at", NEW."daily_at", NEW."has_file", NEW."id", NEW."is_active", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."purpose_id", NEW."recipient", NEW."webhook_url"); RETURN NULL;',  # noqa: E501
                    hash="a9c25b9cb66974b2d4a197d48e4c6baa7a712e90",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_bb900",
                    table="mailings_publication",
                    when="AFTER",
                ),
            ),
        ),
    ]
