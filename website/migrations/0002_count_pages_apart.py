"""Sites that want it count each page apart; what people search for is called a search on the website."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("website", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PageCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("path", models.CharField(max_length=120, verbose_name="page")),
                ("views", models.IntegerField(verbose_name="page views")),
                ("visits", models.IntegerField(verbose_name="visits")),
                ("duration_seconds", models.BigIntegerField(verbose_name="duration")),
            ],
            options={
                "verbose_name": "count of a page",
                "verbose_name_plural": "counts of pages",
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="site",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="site",
            name="update_update",
        ),
        migrations.AddField(
            model_name="hit",
            name="path",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="page"),
        ),
        migrations.AddField(
            model_name="site",
            name="keeps_pages",
            field=models.BooleanField(default=False, verbose_name="counts each page apart"),
        ),
        migrations.AddField(
            model_name="siteevent",
            name="keeps_pages",
            field=models.BooleanField(default=False, verbose_name="counts each page apart"),
        ),
        migrations.AlterField(
            model_name="hit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("page_view", "Page view"),
                    ("search", "Search on the website"),
                    ("form_post", "Form sent"),
                    ("login", "Login"),
                    ("app_use", "Use of the app"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="hitcount",
            name="kind",
            field=models.CharField(
                choices=[
                    ("page_view", "Page view"),
                    ("search", "Search on the website"),
                    ("form_post", "Form sent"),
                    ("login", "Login"),
                    ("app_use", "Use of the app"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="site",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "website_siteevent" ("created_at", "hosts", "id", "is_active", "is_app", "keeps_pages", "keeps_queries", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id") VALUES (NEW."created_at", NEW."hosts", NEW."id", NEW."is_active", NEW."is_app", NEW."keeps_pages", NEW."keeps_queries", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."purpose_id"); RETURN NULL;',  # noqa: E501
                    hash="c1c2883f8b875a42e8fb50a68647370e6ab25ba4",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ec180",
                    table="website_site",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="site",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "website_siteevent" ("created_at", "hosts", "id", "is_active", "is_app", "keeps_pages", "keeps_queries", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id") VALUES (NEW."created_at", NEW."hosts", NEW."id", NEW."is_active", NEW."is_app", NEW."keeps_pages", NEW."keeps_queries", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."purpose_id"); RETURN NULL;',  # noqa: E501
                    hash="51c75fa121c5b6433402bed6437900f0d6ff0b7c",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a220a",
                    table="website_site",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="pagecount",
            name="site",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="website.site"),
        ),
        migrations.AddConstraint(
            model_name="pagecount",
            constraint=models.UniqueConstraint(fields=("site", "day", "path"), name="page_count_once"),
        ),
    ]
