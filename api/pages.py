"""Pages of a list: by number at first, and by where the last one ended from there on, however long the list is."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from common.errors import Refused

AFTER = "after"
MOST_NUMBERED = 10_000  # rows: each page by number costs all rows before it


class Pages(PageNumberPagination):
    """Pages by ``page``, or those after a key (``after``) of a list in order of one key.

    Who follows ``next`` gets all of a list of any length; from ``MOST_NUMBERED`` rows on that names a key, and nothing
    is counted any more (``count`` is null).
    """

    page_size_query_param = "page_size"
    max_page_size = 500
    key: Field[Any, Any] | None = None
    is_keyed = False
    has_more = False
    rows: list[Any]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.key = _key_of(queryset)
        size = self.get_page_size(request) or 0
        if self.key and AFTER in request.query_params:
            self.request, self.is_keyed = request, True
            found = list(_after(queryset, self.key, request.query_params[AFTER])[: size + 1])
            self.rows, self.has_more = found[:size], len(found) > size
            return self.rows
        number = request.query_params.get(self.page_query_param, "")
        if self.key and number.isdecimal() and (int(number[:12]) - 1) * size >= MOST_NUMBERED:
            words = _("This is too far for a page by its number. Follow “next”, or give the last key as “after”.")
            raise Refused("too_deep", words, field=self.page_query_param)
        self.rows = super().paginate_queryset(queryset, request, view) or []
        return self.rows

    def get_next_link(self) -> str | None:
        if self.key is None or self.request is None or not (self.has_more if self.is_keyed else self._is_deep()):
            return None if self.is_keyed else super().get_next_link()
        url = remove_query_param(self.request.build_absolute_uri(), self.page_query_param)
        return str(replace_query_param(url, AFTER, self.key.value_to_string(self.rows[-1])))

    def _is_deep(self) -> bool:
        """Whether the next page is too far for its number."""
        return self.page is not None and self.page.has_next() and self.page.end_index() >= MOST_NUMBERED

    def get_paginated_response(self, data: Any) -> Response:
        if not self.is_keyed:
            return super().get_paginated_response(data)
        return Response({"count": None, "next": self.get_next_link(), "previous": None, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = super().get_paginated_response_schema(schema)
        told["properties"]["count"] |= {"nullable": True, "description": "Null in pages by “after”"}
        return told

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        words = "Of a list in order of one key (number, code, id): only what comes after this one"
        after = {
            "name": AFTER, "required": False, "in": "query", "description": words, "schema": {"type": "string"}
        }  # fmt: skip
        return [*super().get_schema_operation_parameters(view), after]


def _key_of(found: Any) -> Field[Any, Any] | None:
    """Return the field that a queryset is in order of, when that is one that no two rows share."""
    if not isinstance(found, QuerySet) or found.query.combinator or found.query.values_select:
        return None
    order = found.query.order_by
    if len(order) != 1 or not isinstance(order[0], str):
        return None
    name, options = order[0].removeprefix("-"), found.model._meta
    try:
        field = options.pk if name == "pk" else options.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) and field.unique else None


def _after(found: QuerySet[Any], key: Field[Any, Any], told: str) -> QuerySet[Any]:
    """Return the rows behind one with this key; raises Refused when it can be none."""
    try:
        value = key.to_python(told)
        key.run_validators(value)
    except ValidationError:
        value = None
    if value is None or "\0" in told:
        raise Refused("bad_key", _("This is no key of this list."), field=AFTER)
    is_downwards = str(found.query.order_by[0]).startswith("-")
    return found.filter(**{f"{key.name}__{'lt' if is_downwards else 'gt'}": value})
