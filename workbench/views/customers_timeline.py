"""The timeline of one customer: filters, and stretches that go on where the last one ended."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from customers.models import Source, World
from customers.timeline import Key, Timeline
from workbench.base import wants_partial
from workbench.filters.customers import TimelineForm
from workbench.views.customers_base import CustomerPage

PAGE = 25


class CustomerTimeline(CustomerPage):
    """Without scripts "more" is a link to the next stretch; htmx puts that stretch below what is there."""

    permission = "view_customers"
    page_title = gettext_lazy("Timeline")
    template_name = "workbench/customers_timeline.html"
    part = "timeline"

    def get_title(self) -> str:
        return str(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = TimelineForm(
            self.request.GET,
            kinds=Timeline(self.object).kinds(),
            sources=list(Source.objects.values_list("code", "name")),
            worlds=list(World.objects.values_list("code", "name")),
        )
        before = Key.read(self.request.GET.get("before", ""))
        page = Timeline(self.object, form.wish).page(PAGE, before)
        return super().get_context(form=form, page=page, before=before, more=self._more(page.next), **extra)

    def _more(self, key: Key | None) -> str:
        """Return the query of the next stretch, with the filters that are on."""
        query = self.request.GET.copy()
        query["before"] = str(key)
        return query.urlencode() if key else ""

    def render(self, status: int = 200, **extra: Any) -> Any:
        if wants_partial(self.request):
            goes_on = "before" in self.request.GET
            self.partial_name = f"workbench/_customers_{'more' if goes_on else 'timeline'}.html"
        return super().render(status, **extra)
