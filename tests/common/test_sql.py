from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import sql
from customers.models import Branch, Source

pytestmark = pytest.mark.django_db

text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(text, st.none() | text), max_size=8))
def test_copied_rows_come_back_as_they_were(values: list[tuple[str, str | None]]) -> None:
    sql.execute("CREATE TEMP TABLE IF NOT EXISTS copied (a text, b text)")
    sql.execute("TRUNCATE copied")
    assert sql.copy_rows("copied", ["a", "b"], values, chunk=3) == len(values)
    assert sorted((row["a"], row["b"]) for row in sql.rows("SELECT a, coalesce(b, '∅') AS b FROM copied")) == sorted(
        (a, "∅" if b is None else b) for a, b in values
    )


def test_a_queryset_stands_inside_a_statement_with_its_values_bound() -> None:
    Branch.objects.create(code="a", name="100% 'Edam'; DROP TABLE x")
    Branch.objects.create(code="b", name="Volendam")
    inside = sql.as_subquery(Branch.objects.filter(name="100% 'Edam'; DROP TABLE x").values("id"))
    found = sql.rows(f"SELECT count(*) AS n FROM ({inside}) AS chosen WHERE %(yes)s", {"yes": True})  # noqa: S608
    assert found == [{"n": 1}]


def test_execute_tells_how_many_rows_it_touched() -> None:
    Source.objects.bulk_create([Source(code=f"s{n}", name=str(n)) for n in range(3)])
    assert sql.execute("UPDATE customers_source SET name = %s WHERE code IN ('s0', 's1')", ["x"]) == 2
