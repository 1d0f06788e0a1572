"""The merge fields: a flat list of what a text may say about the customer who reads it. There is nothing else.

Each is an SQL expression over ``customer`` (customers_customer) and ``branch`` (customers_branch, may be absent), so
that the values of a whole chunk of messages come from one query. ``otherwise`` stands where a customer has no value
and the text gives no fallback of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blocks import MERGE_FIELD
from common.errors import Refused
from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

TODAY = "(%(now)s::timestamptz AT TIME ZONE 'Europe/Amsterdam')::date"
_PREFIX = "upper(left(customer.name_prefix, 1)) || substr(customer.name_prefix, 2)"
FULL_NAME = (
    "concat_ws(' ', coalesce(nullif(customer.first_name, ''), nullif(customer.initials, '')),"
    " nullif(customer.name_prefix, ''), nullif(customer.last_name, ''))"
)


@dataclass(frozen=True)
class MergeField:
    """One field. ``example`` shows a marketeer what will stand there."""

    code: str
    label: str | _StrPromise
    sql: str
    example: str
    otherwise: str = ""


merge_fields: Registry[MergeField] = Registry("merge field")

for _field in (
    MergeField("first_name", _("First name"), "customer.first_name", "Fatima", otherwise="klant"),
    MergeField("full_name", _("Full name"), FULL_NAME, "Fatima de Vries", otherwise="klant"),
    MergeField(
        "salutation",
        _("Salutation (“mevrouw De Vries”)"),
        "CASE WHEN customer.last_name = '' THEN '' ELSE concat_ws(' ', CASE customer.gender WHEN 'f' THEN 'mevrouw'"
        " WHEN 'm' THEN 'meneer' ELSE coalesce(nullif(customer.first_name, ''), nullif(customer.initials, '')) END,"
        f" nullif({_PREFIX}, ''), customer.last_name) END",
        "mevrouw De Vries",
        otherwise="klant",
    ),
    MergeField("customer_number", _("Customer number"), "customer.number", "2000123456"),
    MergeField("city", _("Place"), "customer.city", "Monnickendam"),
    MergeField("age", _("Age"), f"date_part('year', age({TODAY}, customer.birth_date))::int::text", "34"),
    MergeField("birth_year", _("Year of birth"), "date_part('year', customer.birth_date)::int::text", "1992"),
    MergeField("branch_name", _("Branch"), "branch.name", "Bibliotheek Monnickendam", otherwise="de bibliotheek"),
    MergeField("branch_email", _("E-mail address of the branch"), "branch.email", "monnickendam@bibliotheek.example"),
    MergeField("organisation", _("Organisation"), "%(organisation)s", "Bibliotheek Waterland"),
):
    merge_fields.register(_field)

_LEFT_OVER = re.compile(r"\{\{[^{}]*\}?\}?|\}\}|\{%|%\}")


def check_merge_fields(text: str, *, field: str | None = None) -> None:
    """Refuse text in which something stands between braces that is not one of our fields."""
    for match in MERGE_FIELD.finditer(text):
        if match[1] not in merge_fields:
            known = ", ".join(one.code for one in merge_fields)
            message = gettext("There is no field “%(name)s”. You can use: %(known)s.") % {
                "name": match[1],
                "known": known,
            }
            raise Refused("merge_field", message, field=field)
    if wrong := _LEFT_OVER.search(MERGE_FIELD.sub("", text)):
        message = gettext('“%(text)s” is not a field. Write it like this: {{ first_name | default: "reader" }}')
        raise Refused("merge_field", message % {"text": wrong[0][:40]}, field=field)
