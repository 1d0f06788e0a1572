from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey

from common.personal import PersonalTable, personal_tables
from customers.models import Customer

MODELS = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
TABLES = list(personal_tables)


def keys_to_customers() -> set[tuple[str, str]]:
    return {
        (model._meta.db_table, field.column)
        for model in MODELS.values()
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is Customer
    }


def columns_of(table: str) -> set[str]:
    return {str(field.column) for field in MODELS[table]._meta.concrete_fields}


def test_every_foreign_key_to_a_customer_is_named() -> None:
    named = {(one.table, one.column) for one in TABLES if one.holds == "customer"}
    assert named - {("customers_customer", "id")} == keys_to_customers()


@pytest.mark.parametrize("one", TABLES, ids=lambda one: one.code)
def test_a_table_names_columns_that_exist(one: PersonalTable) -> None:
    named = {one.column, one.key, *one.shown, *one.scrub, *one.files, *(column for key in one.unique for column in key)}
    assert named <= columns_of(one.table)
    assert one.holds == "parent" or one.code in (one.table, f"{one.table}:{one.column}")
    assert (one.holds == "parent") == bool(one.of)
    if one.follows:
        column, _, parent = one.follows.partition(" > ")
        assert column in columns_of(one.table)
        assert [other.code for other in TABLES].index(parent) < TABLES.index(one)


@pytest.mark.django_db
@pytest.mark.parametrize("one", [one for one in TABLES if one.merge == "move"], ids=lambda one: one.code)
def test_what_moves_knows_every_unique_key_with_the_customer_in_it(one: PersonalTable) -> None:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, one.table).values()
    wanted = {
        frozenset(constraint["columns"]) - {one.column}
        for constraint in constraints
        if constraint["unique"] and one.column in constraint["columns"]
    }
    assert {frozenset(key) for key in one.unique} == wanted


@pytest.mark.parametrize(
    "one", [one for one in TABLES if one.erase == "forget" and one.holds == "customer"], ids=lambda one: one.code
)
def test_what_is_forgotten_can_be_without_a_customer(one: PersonalTable) -> None:
    column = next(field for field in MODELS[one.table]._meta.concrete_fields if field.column == one.column)
    assert column.null
