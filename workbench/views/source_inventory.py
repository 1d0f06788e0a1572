"""The inventory of sources: which systems deliver what, when last, and what went wrong."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workbench.base import TemplatePage
from workbench.source_figures import inventory


class SourceInventory(TemplatePage):
    permission = "run_imports"
    page_title = gettext_lazy("What each source brings")
    template_name = "workbench/sources_inventory.html"

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sources"), reverse("workbench:source_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(**inventory(now=self.now), **extra)


urlpatterns = [path("sources/inventory/", SourceInventory.as_view(), name="source_inventory")]
