"""Whom a source no longer delivers, for deliveries that hold everybody it knows."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0048_erase_with_a_receipt"),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "record",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="customers.sourcerecord",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("run_id", models.BigIntegerField(editable=False)),
            ],
            options={
                "verbose_name": "absence from a delivery",
                "verbose_name_plural": "absences from deliveries",
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="feed",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="feed",
            name="update_update",
        ),
        migrations.AddField(
            model_name="feed",
            name="is_whole",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="holds everybody whom the source knows"
            ),
        ),
        migrations.AddField(
            model_name="feedevent",
            name="is_whole",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="holds everybody whom the source knows"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="feed",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_feedevent" ("at", "created_at", "delimiter", "delivers", "encoding", "folder", "id", "is_active", "is_whole", "mapping", "matching", "name", "needs_approval", "next_look_at", "pattern", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "schedule", "source_id") VALUES (NEW."at", NEW."created_at", NEW."delimiter", NEW."delivers", NEW."encoding", NEW."folder", NEW."id", NEW."is_active", NEW."is_whole", NEW."mapping", NEW."matching", NEW."name", NEW."needs_approval", NEW."next_look_at", NEW."pattern", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."schedule", NEW."source_id"); RETURN NULL;',  # noqa: E501
                    hash="f7e2f6d2e3aa39a7f08e709153a45557e425a3a3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7cf01",
                    table="customers_feed",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="feed",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_feedevent" ("at", "created_at", "delimiter", "delivers", "encoding", "folder", "id", "is_active", "is_whole", "mapping", "matching", "name", "needs_approval", "next_look_at", "pattern", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "schedule", "source_id") VALUES (NEW."at", NEW."created_at", NEW."delimiter", NEW."delivers", NEW."encoding", NEW."folder", NEW."id", NEW."is_active", NEW."is_whole", NEW."mapping", NEW."matching", NEW."name", NEW."needs_approval", NEW."next_look_at", NEW."pattern", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."schedule", NEW."source_id"); RETURN NULL;',  # noqa: E501
                    hash="046d7423c44431c0843dc17f4ff6c9e2e93fdace",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b4cb1",
                    table="customers_feed",
                    when="AFTER",
                ),
            ),
        ),
    ]
