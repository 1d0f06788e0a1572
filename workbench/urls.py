"""Addresses of the workbench: each module of ``workbench.views`` named here brings its own ``urlpatterns``."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern, URLResolver

app_name = "workbench"

NOUNS = [
    "dashboard", "roadmap", "customers", "notes", "guardians", "duplicates", "merges", "quality", "privacy",
    "fact_kinds", "imports", "sources", "source_inventory", "feeds", "labels", "label_groups", "system_labels",
    "computed", "label_holders", "label_rules", "label_versions", "selections", "selection_whys", "selection_then",
    "selection_profile", "selection_compare", "selection_versions", "selection_keeping", "result_sets", "audiences",
    "actions", "campaigns",
    "newsletters", "mailings", "doubts", "reports", "styles", "bounces", "post_returns", "vouchers", "purposes",
    "publications",
    "handover", "websites", "web_statistics", "shifts", "shift_cells", "school_holidays", "places", "users",
    "integrations", "mailbox", "relays", "experiments", "texts", "calls", "mailing_previews",
]  # fmt: skip

urlpatterns: list[URLPattern | URLResolver] = [
    pattern for noun in NOUNS for pattern in import_module(f"workbench.views.{noun}").urlpatterns
]
