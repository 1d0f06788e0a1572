import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_control_groups")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="action", name="insert_insert"),
        pgtrigger.migrations.RemoveTrigger(model_name="action", name="update_update"),
        migrations.AddField(
            model_name="action",
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
        migrations.AddField(
            model_name="actionevent",
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
        pgtrigger.migrations.AddTrigger(
            model_name="action",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "campaigns_actionevent" ("channels", "content_id", "created_at", "gives_label_id", "hold_out_percent", "id", "is_archived", "letters_to", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "purpose_id") VALUES (NEW."channels", NEW."content_id", NEW."created_at", NEW."gives_label_id", NEW."hold_out_percent", NEW."id", NEW."is_archived", NEW."letters_to", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."priority", NEW."purpose_id"); RETURN NULL;',  # noqa: E501
                    hash="7aafec97d93fff247579cff59d839155b4f2d59f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7aaa5",
                    table="campaigns_action",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="action",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "campaigns_actionevent" ("channels", "content_id", "created_at", "gives_label_id", "hold_out_percent", "id", "is_archived", "letters_to", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "purpose_id") VALUES (NEW."channels", NEW."content_id", NEW."created_at", NEW."gives_label_id", NEW."hold_out_percent", NEW."id", NEW."is_archived", NEW."letters_to", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."priority", NEW."purpose_id"); RETURN NULL;',  # noqa: E501
                    hash="2433c1a6a75c08cc2970db2a38928fdc84bfb0e9",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3cda9",
                    table="campaigns_action",
                    when="AFTER",
                ),
            ),
        ),
    ]
