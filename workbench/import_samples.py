"""What a trial would write, in the words of the page: a title, and per field what stood there and what comes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from common.money import format_cents
from common.time import AMSTERDAM
from customers.facts import fact_kinds
from customers.imports import FORMATS
from customers.models import Branch, Customer, Fact, ImportRun, Subscription
from customers.records import FIELDS

# Formats whose changes are told by the columns of a table.
_TABLES = {"branches": Branch, "subscriptions": Subscription, "facts": Fact}


def samples_of(run: ImportRun) -> list[dict[str, Any]]:
    names = _names(run.format)
    places = {name: place for place, name in enumerate(names)}
    branches = _branches(run)
    shown = []
    for what, title in (("new", _("New")), ("changed", _("Changed"))):
        for sample in run.preview.get(what, []):
            before, after = sample["before"] or {}, sample["after"] or {}
            cells = [
                (names.get(key, key), _said(key, before.get(key), branches), _said(key, after[key], branches))
                for key in sorted(after, key=lambda key: places.get(key, len(places)))
            ]
            shown.append({"what": what, "kind": title, "row": sample["row"], "title": sample["title"], "cells": cells})
    return shown


def _names(format: str) -> dict[str, str]:  # noqa: A002 - the domain's word
    table = _TABLES.get(format)
    columns = {str(field.column): str(field.verbose_name) for field in table._meta.concrete_fields} if table else {}
    told = {code: str(field.name) for code, field in FIELDS.items()} | {"guardian": _("parent or guardian")}
    known = FORMATS.get(format)
    return told | columns | {column.name: column.name for column in (known.columns if known else ())}


def _branches(run: ImportRun) -> dict[int, str]:
    told = [sample[side] or {} for sample in run.preview.get("changed", []) for side in ("before", "after")]
    ids = {cells["branch_id"] for cells in told if cells.get("branch_id")}
    return dict(Branch.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _said(field: str, text: Any, branches: dict[int, str]) -> str:
    """A value in the words of the pages; a file's own words stay as they are."""
    if text is None or text == "":
        return ""
    if field == "branch_id":
        return branches.get(text, str(text))
    if field.endswith("_cents"):
        return format_cents(text)
    if field == "occurred_at":
        return f"{dt.datetime.fromisoformat(text).astimezone(AMSTERDAM):%d-%m-%Y %H:%M}"
    if field.endswith(("_on", "_date")):
        return f"{dt.date.fromisoformat(text):%d-%m-%Y}"
    if field == "kind" and text in fact_kinds:
        return str(fact_kinds[text].name)
    known = {"kind": Customer.Kind, "gender": Customer.Gender, "payment_method": Subscription.PaymentMethod}.get(field)
    return str(known(text).label) if known and text in known.values else str(text)
