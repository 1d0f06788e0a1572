"""Blocks that are kept to use them again."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0016_house_styles"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True, verbose_name="name")),
                ("type", models.CharField(max_length=40, verbose_name="kind")),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "saved block",
                "verbose_name_plural": "saved blocks",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SavedBlockEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("type", models.CharField(max_length=40, verbose_name="kind")),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="savedblock",
            name="created_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedblockevent",
            name="created_by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedblockevent",
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
            model_name="savedblockevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="mailings.savedblock",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="savedblock",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "mailings_savedblockevent" ("created_at", "created_by_id", "data", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "type") VALUES (NEW."created_at", NEW."created_by_id", NEW."data", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."type"); RETURN NULL;',  # noqa: E501
                    hash="1221fbb871e5fccc06a1984e9461040c13792685",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_18726",
                    table="mailings_savedblock",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="savedblock",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "mailings_savedblockevent" ("created_at", "created_by_id", "data", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "type") VALUES (NEW."created_at", NEW."created_by_id", NEW."data", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."type"); RETURN NULL;',  # noqa: E501
                    hash="3290818066deb76dce07811b3e7395aefa8e480e",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_42cef",
                    table="mailings_savedblock",
                    when="AFTER",
                ),
            ),
        ),
    ]
