"""School holidays and the region of the organisation; where postal codes and branches lie."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0052_read_the_usual_quickly"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarSettingsEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "region",
                    models.CharField(
                        choices=[("noord", "North"), ("midden", "Middle"), ("zuid", "South")],
                        default="noord",
                        max_length=6,
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PostalPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=6, unique=True, verbose_name="postal code")),
                ("latitude", models.FloatField(verbose_name="latitude")),
                ("longitude", models.FloatField(verbose_name="longitude")),
                ("run_id", models.BigIntegerField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "place of a postal code",
                "verbose_name_plural": "places of postal codes",
            },
        ),
        migrations.CreateModel(
            name="SchoolHoliday",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "region",
                    models.CharField(
                        choices=[("noord", "North"), ("midden", "Middle"), ("zuid", "South")],
                        max_length=6,
                        verbose_name="region",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("herfst", "autumn holiday"),
                            ("kerst", "Christmas holiday"),
                            ("voorjaar", "spring holiday"),
                            ("mei", "May holiday"),
                            ("zomer", "summer holiday"),
                        ],
                        max_length=8,
                        verbose_name="holiday",
                    ),
                ),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="school year")),
                ("first_day", models.DateField(verbose_name="first day")),
                ("last_day", models.DateField(verbose_name="last day")),
            ],
            options={
                "verbose_name": "school holiday",
                "verbose_name_plural": "school holidays",
                "ordering": ["first_day", "region"],
            },
        ),
        migrations.CreateModel(
            name="SchoolHolidayEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "region",
                    models.CharField(
                        choices=[("noord", "North"), ("midden", "Middle"), ("zuid", "South")],
                        max_length=6,
                        verbose_name="region",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("herfst", "autumn holiday"),
                            ("kerst", "Christmas holiday"),
                            ("voorjaar", "spring holiday"),
                            ("mei", "May holiday"),
                            ("zomer", "summer holiday"),
                        ],
                        max_length=8,
                        verbose_name="holiday",
                    ),
                ),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="school year")),
                ("first_day", models.DateField(verbose_name="first day")),
                ("last_day", models.DateField(verbose_name="last day")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BranchPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("latitude", models.FloatField(verbose_name="latitude")),
                ("longitude", models.FloatField(verbose_name="longitude")),
                (
                    "branch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="place",
                        to="customers.branch",
                        verbose_name="branch",
                    ),
                ),
            ],
            options={
                "verbose_name": "place of a branch",
                "verbose_name_plural": "places of branches",
            },
        ),
        migrations.CreateModel(
            name="BranchPlaceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("latitude", models.FloatField(verbose_name="latitude")),
                ("longitude", models.FloatField(verbose_name="longitude")),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="customers.branch",
                        verbose_name="branch",
                    ),
                ),
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
                        to="customers.branchplace",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CalendarSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "region",
                    models.CharField(
                        choices=[("noord", "North"), ("midden", "Middle"), ("zuid", "South")],
                        default="noord",
                        max_length=6,
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "settings of the calendar",
                "verbose_name_plural": "settings of the calendar",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_row_of_calendar_settings")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calendarsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_calendarsettingsevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."region"); RETURN NULL;',  # noqa: E501
                    hash="57b9a4a7b18c7b21c5b0b217e4e9558c645ee670",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_807d5",
                    table="customers_calendarsettings",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calendarsettings",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_calendarsettingsevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."region"); RETURN NULL;',  # noqa: E501
                    hash="54d21ce8802b9a7213a891220327c49e89f9a55e",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_26784",
                    table="customers_calendarsettings",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="calendarsettingsevent",
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
            model_name="calendarsettingsevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="customers.calendarsettings",
            ),
        ),
        migrations.AddIndex(
            model_name="postalplace",
            index=models.Index(fields=["latitude", "longitude"], name="postal_place_box"),
        ),
        migrations.AddConstraint(
            model_name="postalplace",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("latitude__gte", -90), ("latitude__lte", 90), ("longitude__gte", -180), ("longitude__lte", 180)
                ),
                name="postal_place_on_earth",
            ),
        ),
        migrations.AddConstraint(
            model_name="schoolholiday",
            constraint=models.UniqueConstraint(fields=("region", "name", "school_year"), name="school_holiday_once"),
        ),
        migrations.AddConstraint(
            model_name="schoolholiday",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_day__gte", models.F("first_day"))), name="school_holiday_in_order"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schoolholiday",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_schoolholidayevent" ("first_day", "id", "last_day", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "school_year") VALUES (NEW."first_day", NEW."id", NEW."last_day", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."region", NEW."school_year"); RETURN NULL;',  # noqa: E501
                    hash="d1250b84741bbd343b504a9afea1c7d687c760ab",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ca475",
                    table="customers_schoolholiday",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schoolholiday",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_schoolholidayevent" ("first_day", "id", "last_day", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "school_year") VALUES (NEW."first_day", NEW."id", NEW."last_day", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."region", NEW."school_year"); RETURN NULL;',  # noqa: E501
                    hash="cdaaad8d6d0b78ef04f4a762cf6a36e084ce5117",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b551a",
                    table="customers_schoolholiday",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schoolholiday",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_schoolholidayevent" ("first_day", "id", "last_day", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "school_year") VALUES (OLD."first_day", OLD."id", OLD."last_day", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."region", OLD."school_year"); RETURN NULL;',  # noqa: E501
                    hash="c3c865d75447963f11aa13988f662fc010199137",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_4c1fa",
                    table="customers_schoolholiday",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="schoolholidayevent",
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
            model_name="schoolholidayevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="customers.schoolholiday",
            ),
        ),
        migrations.AddConstraint(
            model_name="branchplace",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("latitude__gte", -90), ("latitude__lte", 90), ("longitude__gte", -180), ("longitude__lte", 180)
                ),
                name="branch_place_on_earth",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="branchplace",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_branchplaceevent" ("branch_id", "id", "latitude", "longitude", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."branch_id", NEW."id", NEW."latitude", NEW."longitude", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',  # noqa: E501
                    hash="e6031f719a385720fb1456815e3f0d158f7a5541",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_49cda",
                    table="customers_branchplace",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="branchplace",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_branchplaceevent" ("branch_id", "id", "latitude", "longitude", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."branch_id", NEW."id", NEW."latitude", NEW."longitude", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',  # noqa: E501
                    hash="bacfd3b129857f1392d4cc51cbdd7278287dffdb",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_91493",
                    table="customers_branchplace",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="branchplace",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_branchplaceevent" ("branch_id", "id", "latitude", "longitude", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."branch_id", OLD."id", OLD."latitude", OLD."longitude", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',  # noqa: E501
                    hash="49907317b2be2dc81f5a301bcdaa6e829abcc433",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_4eaa0",
                    table="customers_branchplace",
                    when="AFTER",
                ),
            ),
        ),
    ]
