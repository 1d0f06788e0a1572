"""Template tags of the workbench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.template import Context

from common.blocks import MERGE_FIELD
from customers.models import Customer
from customers.timeline import About
from customers.timeline.words import by
from mailings.fields import merge_fields
from workbench.menu import Link, Section, address, menu_for

register = template.Library()


@register.simple_tag(takes_context=True)
def workbench_menu(context: Context) -> list[tuple[Section, list[Link]]]:
    """Return the menu for this visitor and this page."""
    request = context["request"]
    return list(menu_for(request.user, request.path))


@register.filter
def with_field_names(text: str) -> str:
    """Show merge fields by their names, for reading: ``{{ first_name | default: "lezer" }}`` is “[Voornaam]”."""
    return MERGE_FIELD.sub(lambda found: f"[{_field_name(found[1])}]", text)


def _field_name(code: str) -> str:
    known = merge_fields.get(code)
    return str(known.label).partition(" (")[0] if known else code


@register.filter
def lookup(values: Mapping[str, Any], key: str) -> Any:
    """Return what a mapping has under a key that is itself a variable; None when it has nothing."""
    return values.get(key)


@register.filter
def by_whom(name: str) -> str:
    """Say by whom, where a history keeps a name: "by the customer", "by Anja de Wit"."""
    return by(name)


@register.simple_tag
def url_if_exists(url_name: str, *args: object) -> str:
    """Return the address of a name, or nothing when no page of that name exists."""
    return address(url_name, *args)


@register.filter
def page_about(about: About | None, customer: Customer) -> str:
    """Return the page of what a moment of this customer is about, or nothing when it has none."""
    if about is None:
        return ""
    if about.noun == "note":
        return f"{address('workbench:customer_notes', customer.pk)}#note-{about.pk}"
    return address(f"workbench:{about.noun}_detail", about.pk)
