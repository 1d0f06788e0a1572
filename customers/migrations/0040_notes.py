"""Notes and reports of contacts, with the history of their texts."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0036_quality_counts"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("note", "Note"),
                            ("call", "Phone call"),
                            ("mail", "E-mail or letter"),
                            ("visit", "Visit"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                ("happened_at", models.DateTimeField(verbose_name="when")),
                ("author", models.CharField(max_length=150, verbose_name="written by")),
                ("external_id", models.CharField(blank=True, max_length=80, verbose_name="external id")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="customers.customer",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "ordering": ["-happened_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="NoteEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("note", "Note"),
                            ("call", "Phone call"),
                            ("mail", "E-mail or letter"),
                            ("visit", "Visit"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                ("happened_at", models.DateTimeField(verbose_name="when")),
                ("author", models.CharField(max_length=150, verbose_name="written by")),
                ("external_id", models.CharField(blank=True, max_length=80, verbose_name="external id")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="customers.note",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="customers.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["customer", "-happened_at"], name="note_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("source", "external_id"),
                name="note_once_per_source",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="note",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_noteevent" ("author", "created_at", "external_id", "happened_at", "id", "kind", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_id", "text", "updated_at", "user_id") VALUES (NEW."author", NEW."created_at", NEW."external_id", NEW."happened_at", NEW."id", NEW."kind", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."source_id", NEW."text", NEW."updated_at", NEW."user_id"); RETURN NULL;',  # noqa: E501
                    hash="6639a970c500b638c26bbce83aa1214adee68d8e",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_b656b",
                    table="customers_note",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="note",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."author" IS DISTINCT FROM (NEW."author") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."external_id" IS DISTINCT FROM (NEW."external_id") OR OLD."happened_at" IS DISTINCT FROM (NEW."happened_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."source_id" IS DISTINCT FROM (NEW."source_id") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))',  # noqa: E501
                    func='INSERT INTO "customers_noteevent" ("author", "created_at", "external_id", "happened_at", "id", "kind", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_id", "text", "updated_at", "user_id") VALUES (NEW."author", NEW."created_at", NEW."external_id", NEW."happened_at", NEW."id", NEW."kind", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."source_id", NEW."text", NEW."updated_at", NEW."user_id"); RETURN NULL;',  # noqa: E501
                    hash="bd485927da4fcc573217b0b50c127ab9c62d71a2",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e9cc9",
                    table="customers_note",
                    when="AFTER",
                ),
            ),
        ),
    ]
