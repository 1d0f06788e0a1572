"""Building blocks that several nouns of the API share."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Branch, Customer
from customers.numbers import find


def by_code(queryset: Any = None, *, key: str = "code", **kwargs: Any) -> Any:
    """Return a field that shows a related object as its code, and reads it too when given where to look."""
    look = {"read_only": True} if queryset is None else {"queryset": queryset}
    return serializers.SlugRelatedField(slug_field=key, **look, **kwargs)


def branch_field() -> Any:
    """Return a field for a branch by its code; null means none."""
    return by_code(Branch.objects.all(), required=False, allow_null=True)


class SaidField(serializers.BooleanField):
    """Yes or no. One that a form leaves out was not said, as in JSON, rather than a no."""

    default_empty_html = empty


class CustomerField(serializers.SlugRelatedField[Customer]):
    """A customer by his number; the number of somebody who was merged leads to who was kept."""

    def to_internal_value(self, data: Any) -> Customer:
        customer = find(data) if isinstance(data, str) else None
        return customer or super().to_internal_value(data)


def customer_field() -> Any:
    """Return a field for a customer by his number."""
    return CustomerField(slug_field="number", queryset=Customer.objects.all())


def user_of(request: Request) -> User:
    """Return who asks; the permission has made sure that somebody is signed in."""
    return cast(User, request.user)


def paged(view: GenericAPIView[Any], rows: QuerySet[Any, Any], serializer: Any) -> Response:
    """Answer with one page of what hangs below an object."""
    return view.get_paginated_response(serializer(view.paginate_queryset(rows), many=True).data)
