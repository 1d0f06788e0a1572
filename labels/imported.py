"""What all files with labels share: which labels they name, what is refused, giving, ending, taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import execute, rows
from customers.imports.formats import Column
from customers.imports.formats.base import Check
from customers.imports.remedies import REMEDIES
from customers.imports.undoing import Derived, Undone, derived_rows, kept_rows, restore_changed
from labels.profiling import refused_sql
from labels.system import families

# What the nightly computation gave does not hold back a customer whose import is undone.
derived_rows.register(Derived("labels_assignment", "row.given_by = 'system'"))
derived_rows.register(Derived("labels_customervalue"))
REMEDIES["version"] = _("A file brings one version of a group. Split it, or correct this row.")
REMEDIES["system_label"] = _("This label is computed by the product itself. Choose another code.")
REMEDIES["system_group"] = _(
    "The product itself has a group of this name. Call the group otherwise, such as by its source."
)
REMEDIES["rule_label"] = _("This label follows a rule, which gives it each night. Choose another code.")
REMEDIES["unused_label"] = _("This label or its group is out of use, or not valid today. Change that first.")
REMEDIES["one_label"] = _("Within a group somebody has one label. Keep one of the rows of this customer.")

TABLE = "labels_assignment"


def _slug(text: str, longest: int) -> str:
    return f"btrim(left(btrim(lower(regexp_replace({text}, '[^a-zA-Z0-9]+', '-', 'g')), '-'), {longest}), '-')"


GROUP = _slug("r.groep", 20)
# mosaic-2026-a01: what a label is called in one version need not be what it was in the last.
CODE = _slug("concat_ws('-', nullif(r.groep, ''), nullif(r.versie, ''), r.label)", 60)
VERSION = _slug("concat_ws('-', nullif(r.groep, ''), nullif(r.versie, ''))", 60)
# What ``import_wanted`` says of a label, beside whose it is; to stand behind SELECT, with labels_label as ``label``.
WANTED = f"""
    r.row_number, label.id AS label_id, label.group_id, {VERSION} || '-' AS version_code,
    concat_ws(' ', nullif(r.groep, ''), nullif(r.versie, '')) AS told
"""
LABEL_COLUMNS = (
    Column("label", _("Code of the label within its group."), "A01", required=True, filled=True, longest=40),
    Column("naam", _("Name of the label; its code when empty."), "Jonge stedelingen", longest=80),
    Column("groep", _("What the labels belong to; of a group somebody has one."), "Mosaic", longest=40),
    Column(
        "versie", _("Version of the group; a new one ends the labels of the former."), "2026", longest=20,
        checks=[Check("empty", "r.groep <> '' AND r.versie = ''")],
    ),
)  # fmt: skip


def refuse_others(values: Mapping[str, Any], person: str, second: str, *, may_have_many: str = "false") -> None:
    """Refuse rows of another version than the first of their group, and second labels within a group of which one has
    a single label; in other groups, the same label twice. Also labels that no file may give.

    ``person`` is SQL for whom row ``r`` is about, ``second`` the code of the remedy, ``may_have_many`` SQL for whether
    the row says that somebody may have several; a group that is there already knows that itself.
    """
    execute(
        f"""
        WITH told AS (
            SELECT r.row_number, {person} AS person, r.versie, {GROUP} AS grp, {CODE} AS code,
                coalesce(NOT there.is_exclusive, {may_have_many}) AS may_have_many
            FROM import_row AS r LEFT JOIN labels_labelgroup AS there ON there.code = {GROUP}
            WHERE NOT EXISTS (SELECT FROM import_problem AS p WHERE p.row_number = r.row_number)
        ),
        placed AS (
            SELECT *, first_value(versie) OVER (PARTITION BY grp ORDER BY row_number) AS first_version,
                row_number() OVER (
                    PARTITION BY person, grp, CASE WHEN grp = '' OR may_have_many THEN code END ORDER BY row_number
                ) AS place
            FROM told
        )
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT row_number, 'versie', left(versie, 200), 'version' FROM placed
        WHERE grp <> '' AND versie <> first_version
        UNION ALL
        SELECT row_number, 'label', left(code, 200), '{second}' FROM placed
        WHERE place > 1 AND versie = first_version
        """  # noqa: S608 - our own words
    )
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, 'label', left(r.label, 200),
            CASE WHEN label.kind = 'own' THEN 'rule_label' ELSE 'system_label' END
        FROM import_row AS r JOIN labels_label AS label ON label.code = {CODE}
            AND (label.kind NOT IN ('imported', 'own') OR label.rule IS NOT NULL OR label.selection_id IS NOT NULL)
        """  # noqa: S608
    )
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, 'groep', left(r.groep, 200), 'system_group'
        FROM import_row AS r WHERE {GROUP} = ANY(%(groups)s)
        """,  # noqa: S608
        {"groups": [code for family in families for code in family.all_groups]},
    )
    # A file puts import labels in use again, but not what we ourselves put out of use: our labels, and groups.
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, 'label', left(r.label, 200), 'unused_label'
        FROM import_row AS r LEFT JOIN labels_label AS label ON label.code = {CODE}
            LEFT JOIN labels_labelgroup AS grp
                ON CASE WHEN label.id IS NULL THEN grp.code = {GROUP} ELSE grp.id = label.group_id END
        WHERE NOT grp.is_active OR label.kind = 'own' AND label.rule IS NULL AND label.selection_id IS NULL
            AND (NOT label.is_active OR label.valid_from > %(today)s OR label.valid_until < %(today)s)
        """,  # noqa: S608
        values,
    )


def add_labels(values: Mapping[str, Any], *, may_have_many: str = "false") -> None:
    """Add the groups and labels that are not there yet; ``may_have_many`` is SQL about row ``r``."""
    execute(
        f"""
        INSERT INTO labels_labelgroup (code, name, is_exclusive)
        SELECT DISTINCT ON ({GROUP}) {GROUP}, left(r.groep, 80), NOT ({may_have_many})
        FROM import_row AS r WHERE {GROUP} <> '' ORDER BY {GROUP}, r.row_number
        ON CONFLICT (code) DO NOTHING
        """  # noqa: S608
    )
    execute(
        f"""
        INSERT INTO labels_label (code, name, description, version, kind, group_id, colour, is_active, created_at)
        SELECT DISTINCT ON ({CODE}) {CODE}, left(coalesce(nullif(r.naam, ''), r.label), 80),
            concat_ws(' ', nullif(r.groep, ''), nullif(r.versie, '')), left(r.versie, 20), 'imported', grp.id,
            'teal', true, %(now)s
        FROM import_row AS r LEFT JOIN labels_labelgroup AS grp ON grp.code = {GROUP}
        ORDER BY {CODE}, r.row_number
        ON CONFLICT (code) DO NOTHING
        """,  # noqa: S608
        values,
    )
    # What a file brings is in use again, also when its version had been ended by hand.
    execute(
        f"""
        UPDATE labels_label AS label SET is_active = true FROM import_row AS r
        WHERE label.code = {CODE} AND label.kind = 'imported' AND NOT label.is_active
        """  # noqa: S608
    )


def give_wanted(values: Mapping[str, Any]) -> tuple[int, int]:
    """Give the labels of ``import_wanted``; return how many were given, and ended.

    Who is in the file has afterwards, of a group, the labels that stand there and no other imported ones; a new
    version ends all of the former, also of who is not in this file. What was, stays as an interval.
    """
    ended = execute(
        f"""
        WITH wanted_group AS (
            SELECT DISTINCT w.group_id, w.version_code FROM import_wanted AS w WHERE w.group_id IS NOT NULL
        ),
        ended AS (
            UPDATE {TABLE} AS there
            SET until = %(now)s, taken_by = %(actor)s, taken_how = 'import', taken_through = %(run)s
            FROM labels_label AS label, wanted_group, {TABLE} AS was
            WHERE there.until IS NULL AND label.id = there.label_id AND label.group_id = wanted_group.group_id
                AND label.kind = 'imported' AND was.id = there.id
                AND (
                    left(label.code, length(wanted_group.version_code)) <> wanted_group.version_code
                    OR EXISTS (
                        SELECT FROM import_wanted AS w
                        WHERE w.customer_id = there.customer_id AND w.group_id = label.group_id
                    )
                    AND NOT EXISTS (
                        SELECT FROM import_wanted AS w
                        WHERE w.customer_id = there.customer_id AND w.label_id = there.label_id
                    )
                )
            RETURNING there.id, to_jsonb(was) AS before, to_jsonb(there) AS after
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, '{TABLE}', id, before, after FROM ended
        """,  # noqa: S608
        values,
    )
    new = execute(
        f"""
        INSERT INTO {TABLE} (label_id, customer_id, exclusive_group_id, since, given_by, given_how, given_through,
            reason, taken_by)
        SELECT w.label_id, w.customer_id, exclusive.id, %(now)s, %(actor)s, 'import', %(run)s, left(w.told, 200), ''
        FROM import_wanted AS w
        LEFT JOIN labels_labelgroup AS exclusive ON exclusive.id = w.group_id AND exclusive.is_exclusive
        WHERE NOT EXISTS (
            SELECT FROM {TABLE} AS known
            WHERE known.label_id = w.label_id AND known.customer_id = w.customer_id AND known.until IS NULL
        )
        ON CONFLICT DO NOTHING
        """,  # noqa: S608
        values,
    )
    return new, ended


def undo_labels(values: Mapping[str, Any]) -> Undone:
    """Take away the labels that a run gave, and open again those that it ended, as far as nothing took their place and
    the customer did not say no to being profiled meanwhile.
    """
    removed = execute(f"DELETE FROM {TABLE} WHERE given_by = %(actor)s AND until IS NULL", values)  # noqa: S608
    kept = rows(f"SELECT count(*) AS kept FROM {TABLE} WHERE given_by = %(actor)s", values)[0]["kept"]  # noqa: S608
    taken = f"""NOT EXISTS (
        SELECT FROM {TABLE} AS other
        WHERE other.customer_id = there.customer_id AND (other.until IS NULL OR other.until > there.until)
            AND (other.label_id = there.label_id OR other.exclusive_group_id = there.exclusive_group_id)
    ) AND there.customer_id NOT IN ({refused_sql(now=values["now"])})"""
    columns = {name: f"was.{name}" for name in ("until", "taken_by", "taken_how", "taken_through")}
    restored, changed = restore_changed(TABLE, columns, values, where=taken)
    return removed, restored, kept_rows(changed=changed + kept)
