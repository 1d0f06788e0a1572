"""Each time a content is saved is a version with a number; what was not saved yet is kept per person."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0017_saved_blocks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(max_length=100, verbose_name="place")),
                ("fields", models.JSONField(verbose_name="fields")),
                ("saved_at", models.DateTimeField(verbose_name="saved at")),
            ],
            options={
                "verbose_name": "unsaved work",
                "verbose_name_plural": "unsaved work",
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="content",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="content",
            name="update_update",
        ),
        migrations.AddField(
            model_name="content",
            name="parent",
            field=models.PositiveIntegerField(default=0, verbose_name="made out of version"),
        ),
        migrations.AddField(
            model_name="content",
            name="version",
            field=models.PositiveIntegerField(default=0, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="contentevent",
            name="parent",
            field=models.PositiveIntegerField(default=0, verbose_name="made out of version"),
        ),
        migrations.AddField(
            model_name="contentevent",
            name="version",
            field=models.PositiveIntegerField(default=0, verbose_name="version"),
        ),
        # What was saved before gets numbers too, so that one can go back to it.
        migrations.RunSQL(
            """
            WITH numbered AS (
                SELECT pgh_id, row_number() OVER (PARTITION BY pgh_obj_id ORDER BY pgh_id) AS number
                FROM mailings_contentevent
            )
            UPDATE mailings_contentevent AS event SET version = number, parent = number - 1
            FROM numbered WHERE numbered.pgh_id = event.pgh_id;
            UPDATE mailings_content AS content SET version = last.version, parent = last.version - 1
            FROM (SELECT pgh_obj_id, max(version) AS version FROM mailings_contentevent GROUP BY 1) AS last
            WHERE last.pgh_obj_id = content.id;
            """,
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="content",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_contentevent" ("blocks", "id", "name", "parent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preheader", "subject", "updated_at", "version") VALUES (NEW."blocks", NEW."id", NEW."name", NEW."parent", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."preheader", NEW."subject", NEW."updated_at", NEW."version"); RETURN NULL;',  # noqa: E501
                    hash="2c80a5b88aa511308a68553637f88c143d35a475",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_267ed",
                    table="mailings_content",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="content",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_contentevent" ("blocks", "id", "name", "parent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preheader", "subject", "updated_at", "version") VALUES (NEW."blocks", NEW."id", NEW."name", NEW."parent", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."preheader", NEW."subject", NEW."updated_at", NEW."version"); RETURN NULL;',  # noqa: E501
                    hash="06ffd539895e813e755a2db6881e743d922e9473",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3c76b",
                    table="mailings_content",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="content",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="mailings.content"
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=("content", "user", "place"), name="one_draft_per_form"),
        ),
    ]
