"""Serializer building blocks that several nouns share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from customers.models import Branch, Customer


def by_code(queryset: Any, **kwargs: Any) -> serializers.SlugRelatedField[Any]:
    """Return a field that reads and writes a related object as its code."""
    return serializers.SlugRelatedField(slug_field="code", queryset=queryset, **kwargs)


def branch_field(**kwargs: Any) -> serializers.SlugRelatedField[Any]:
    """Return a field for a branch by its code; empty means none."""
    return by_code(Branch.objects.all(), required=False, allow_null=True, **kwargs)


def customer_field(**kwargs: Any) -> serializers.SlugRelatedField[Any]:
    """Return a field for a customer by his number."""
    return serializers.SlugRelatedField(slug_field="number", queryset=Customer.objects.all(), **kwargs)
