# ruff: noqa: E501
"""Rules, days of validity and age of labels, places in groups, versions, and by what each label was given and taken."""

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labels", "0001_initial"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("selections", "0002_rules_of_version_2"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Backfill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("family", models.CharField(blank=True, max_length=40, verbose_name="family")),
                (
                    "grid",
                    models.CharField(
                        choices=[("week", "week by week"), ("month", "month by month")],
                        default="month",
                        max_length=5,
                        verbose_name="how often",
                    ),
                ),
                ("first_day", models.DateField(verbose_name="from")),
                ("until", models.DateTimeField(verbose_name="until")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "busy"),
                            ("done", "done"),
                            ("failed", "not possible"),
                            ("undone", "taken back"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("moment_count", models.PositiveSmallIntegerField(default=0)),
                ("moments_done", models.PositiveSmallIntegerField(default=0)),
                ("written_count", models.PositiveIntegerField(default=0, verbose_name="intervals")),
                ("problem", models.CharField(blank=True, max_length=500, verbose_name="problem")),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                ("beat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="taken back at")),
            ],
            options={
                "verbose_name": "worked-out history",
                "verbose_name_plural": "worked-out histories",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BackfillChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row_id", models.BigIntegerField()),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LabelCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("holders", models.PositiveIntegerField(verbose_name="customers")),
            ],
            options={
                "verbose_name": "daily count of a label",
                "verbose_name_plural": "daily counts of labels",
            },
        ),
        migrations.CreateModel(
            name="LabelGroupEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("description", models.TextField(blank=True, db_default="", default="", verbose_name="description")),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("blue", "Blue"),
                            ("green", "Green"),
                            ("teal", "Teal"),
                            ("yellow", "Yellow"),
                            ("orange", "Orange"),
                            ("red", "Red"),
                            ("grey", "Grey"),
                        ],
                        db_default="blue",
                        default="blue",
                        max_length=12,
                        verbose_name="colour",
                    ),
                ),
                ("is_exclusive", models.BooleanField(default=False, verbose_name="exclusive")),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RuleRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_key", models.CharField(max_length=60)),
                ("at", models.DateTimeField(verbose_name="when")),
                ("given_count", models.PositiveIntegerField(default=0, verbose_name="given")),
                ("taken_count", models.PositiveIntegerField(default=0, verbose_name="taken")),
                ("problem", models.CharField(blank=True, max_length=300, verbose_name="problem")),
            ],
            options={
                "verbose_name": "run of a rule",
                "verbose_name_plural": "runs of rules",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="VersionEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.CharField(max_length=20, verbose_name="version")),
                ("ended_at", models.DateTimeField(verbose_name="ended at")),
                ("taken_count", models.PositiveIntegerField(default=0, verbose_name="taken")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="taken back at")),
            ],
            options={
                "verbose_name": "end of a version",
                "verbose_name_plural": "ends of versions",
                "ordering": ["-id"],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="label",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="label",
            name="update_update",
        ),
        migrations.AddField(
            model_name="assignment",
            name="given_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("system", "computed"),
                    ("hand", "by hand"),
                    ("selection", "for a selection"),
                    ("rule", "by a rule"),
                    ("import", "by an import"),
                    ("action", "by an action"),
                    ("customer", "by the customer"),
                    ("api", "by another system"),
                    ("backfill", "worked out afterwards"),
                    ("merge", "customers were merged"),
                    ("group", "another of its group was given"),
                    ("validity", "the label is valid no longer"),
                    ("age", "it lasts so long"),
                    ("version", "the version was ended"),
                    ("objection", "the customer objected"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="given how",
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="given_through",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="assignment",
            name="taken_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("system", "computed"),
                    ("hand", "by hand"),
                    ("selection", "for a selection"),
                    ("rule", "by a rule"),
                    ("import", "by an import"),
                    ("action", "by an action"),
                    ("customer", "by the customer"),
                    ("api", "by another system"),
                    ("backfill", "worked out afterwards"),
                    ("merge", "customers were merged"),
                    ("group", "another of its group was given"),
                    ("validity", "the label is valid no longer"),
                    ("age", "it lasts so long"),
                    ("version", "the version was ended"),
                    ("objection", "the customer objected"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="taken how",
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="taken_reason",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="why it was taken"
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="taken_through",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="label",
            name="max_age_days",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="ends after days",
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="rank",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="place in the group"),
        ),
        migrations.AddField(
            model_name="label",
            name="rule",
            field=models.JSONField(blank=True, null=True, verbose_name="rule"),
        ),
        migrations.AddField(
            model_name="label",
            name="selection",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="selections.selection",
                verbose_name="by selection",
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="valid_from",
            field=models.DateField(blank=True, null=True, verbose_name="valid from"),
        ),
        migrations.AddField(
            model_name="label",
            name="valid_until",
            field=models.DateField(blank=True, null=True, verbose_name="valid until"),
        ),
        migrations.AddField(
            model_name="label",
            name="version",
            field=models.CharField(blank=True, db_default="", default="", max_length=20, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="max_age_days",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="ends after days",
            ),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="rank",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="place in the group"),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="rule",
            field=models.JSONField(blank=True, null=True, verbose_name="rule"),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="selection",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="selections.selection",
                verbose_name="by selection",
            ),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="valid_from",
            field=models.DateField(blank=True, null=True, verbose_name="valid from"),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="valid_until",
            field=models.DateField(blank=True, null=True, verbose_name="valid until"),
        ),
        migrations.AddField(
            model_name="labelevent",
            name="version",
            field=models.CharField(blank=True, db_default="", default="", max_length=20, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="labelgroup",
            name="colour",
            field=models.CharField(
                choices=[
                    ("blue", "Blue"),
                    ("green", "Green"),
                    ("teal", "Teal"),
                    ("yellow", "Yellow"),
                    ("orange", "Orange"),
                    ("red", "Red"),
                    ("grey", "Grey"),
                ],
                db_default="blue",
                default="blue",
                max_length=12,
                verbose_name="colour",
            ),
        ),
        migrations.AddField(
            model_name="labelgroup",
            name="description",
            field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
        ),
        migrations.AddField(
            model_name="labelgroup",
            name="is_active",
            field=models.BooleanField(db_default=True, default=True, verbose_name="active"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="label",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "labels_labelevent" ("code", "colour", "created_at", "description", "group_id", "id", "is_active", "kind", "max_age_days", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rank", "rule", "selection_id", "valid_from", "valid_until", "version") VALUES (NEW."code", NEW."colour", NEW."created_at", NEW."description", NEW."group_id", NEW."id", NEW."is_active", NEW."kind", NEW."max_age_days", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rank", NEW."rule", NEW."selection_id", NEW."valid_from", NEW."valid_until", NEW."version"); RETURN NULL;',
                    hash="f46e233c4407e95f243900ee1612f055701e446f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6ded9",
                    table="labels_label",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="label",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "labels_labelevent" ("code", "colour", "created_at", "description", "group_id", "id", "is_active", "kind", "max_age_days", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rank", "rule", "selection_id", "valid_from", "valid_until", "version") VALUES (NEW."code", NEW."colour", NEW."created_at", NEW."description", NEW."group_id", NEW."id", NEW."is_active", NEW."kind", NEW."max_age_days", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rank", NEW."rule", NEW."selection_id", NEW."valid_from", NEW."valid_until", NEW."version"); RETURN NULL;',
                    hash="f2d5f3e4603bd600046539760a18cd77db502f23",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2a26a",
                    table="labels_label",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelgroup",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "labels_labelgroupevent" ("code", "colour", "description", "id", "is_active", "is_exclusive", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."colour", NEW."description", NEW."id", NEW."is_active", NEW."is_exclusive", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                    hash="24b1ed02c8773992e477bb6df7751192ef5d934d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_21948",
                    table="labels_labelgroup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelgroup",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "labels_labelgroupevent" ("code", "colour", "description", "id", "is_active", "is_exclusive", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."colour", NEW."description", NEW."id", NEW."is_active", NEW."is_exclusive", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                    hash="edad6c31a080c028a8198dcc8c9685478a5db8f5",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3cbd2",
                    table="labels_labelgroup",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("rule__isnull", True), ("selection__isnull", True)),
                    models.Q(
                        ("kind", "own"), models.Q(("selection__isnull", True), ("rule__isnull", True), _connector="OR")
                    ),
                    _connector="OR",
                ),
                name="label_has_one_rule_at_most",
            ),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from__isnull", True),
                    ("valid_until__isnull", True),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="label_is_valid_for_a_day_at_least",
            ),
        ),
        migrations.AddField(
            model_name="backfill",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="backfill",
            name="label",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="backfills",
                to="labels.label",
                verbose_name="label",
            ),
        ),
        migrations.AddField(
            model_name="backfill",
            name="undone_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="backfillchange",
            name="backfill",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="labels.backfill"
            ),
        ),
        migrations.AddField(
            model_name="labelcount",
            name="label",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="counts", to="labels.label"
            ),
        ),
        migrations.AddField(
            model_name="labelgroupevent",
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
            model_name="labelgroupevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="labels.labelgroup",
            ),
        ),
        migrations.AddField(
            model_name="rulerun",
            name="label",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rule_runs", to="labels.label"
            ),
        ),
        migrations.AddField(
            model_name="versionend",
            name="ended_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="versionend",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="version_ends",
                to="labels.labelgroup",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="versionend",
            name="undone_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="backfill",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("family", ""), ("label__isnull", False)),
                    models.Q(("label__isnull", True), models.Q(("family", ""), _negated=True)),
                    _connector="OR",
                ),
                name="backfill_is_of_a_label_or_a_family",
            ),
        ),
        migrations.AddConstraint(
            model_name="backfill",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["waiting", "running"])),
                fields=("label", "family"),
                name="one_backfill_at_a_time",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="backfillchange",
            constraint=models.UniqueConstraint(fields=("backfill", "row_id"), name="one_change_per_backfill"),
        ),
        migrations.AddConstraint(
            model_name="labelcount",
            constraint=models.UniqueConstraint(fields=("label", "day"), name="one_count_per_label_and_day"),
        ),
        migrations.AddConstraint(
            model_name="rulerun",
            constraint=models.UniqueConstraint(fields=("label", "due_key"), name="one_rule_run_per_due_key"),
        ),
    ]
