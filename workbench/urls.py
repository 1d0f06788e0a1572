"""Addresses of the workbench: each module of ``workbench.views`` named here brings its own ``urlpatterns``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver

app_name = "workbench"

NOUNS = [
    "dashboard", "customers", "imports", "sources", "source_inventory", "feeds", "labels", "selections", "actions", "campaigns", "newsletters", "mailings",
    "quality", "vouchers", "users", "integrations", "mailbox", "duplicates", "merges", "guardians", "notes", "purposes", "publications", "privacy", "fact_kinds", "websites", "web_statistics",
]  # fmt: skip

urlpatterns: list[URLPattern | URLResolver] = [
    pattern
    for noun in NOUNS
    if find_spec(f"workbench.views.{noun}")
    for pattern in import_module(f"workbench.views.{noun}").urlpatterns
]
