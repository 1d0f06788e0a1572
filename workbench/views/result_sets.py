"""Result sets: keep who are in a selection, look at what was kept, and throw it away."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from selections.actions import delete_result_set, rename_result_set
from selections.asking import people_of
from selections.comparing import part_rule
from selections.keeping import keep_at_once_or_later
from selections.models import Export, ResultSet
from selections.tasks import fill_result_set
from workbench.audiences import ResultSetAudience, SelectionAudience
from workbench.base import ActionView, DetailPage, FormPage, ListPage
from workbench.changes import user_names
from workbench.filters.result_sets import ResultSetFilter
from workbench.forms.selection_pages import KeepForm, RenameForm
from workbench.forms.selections import BulkLabelForm, ExportForm
from workbench.tables.result_sets import ResultSetTable
from workbench.views.labels import used_by
from workbench.views.selection_base import people_page
from workbench.views.selection_builder import crumbs

EXPORTS_SHOWN = 10


class ResultSetList(ListPage):
    permission = "manage_selections"
    page_title = gettext_lazy("Result sets")
    lead = gettext_lazy("Who were in a selection at a moment, kept as they were, to compare with or to go on with.")
    table_class = ResultSetTable
    filterset_class = ResultSetFilter
    empty_icon = "archive"
    empty_title = gettext_lazy("No result sets yet")
    empty_text = gettext_lazy("Keep one on the page of a selection, under “Do something”.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_queryset(self) -> QuerySet[ResultSet]:
        return ResultSet.objects.select_related("selection", "made_by").defer("rule")


class ResultSetKeep(SelectionAudience, ActionView):
    """Keep who are in a selection, now or as it was on the day that was looked at."""

    permission = "manage_selections"

    def perform(self) -> str:
        form = KeepForm(self.request.POST, now=self.now)
        if not form.is_valid():
            raise Refused("name_missing", _("Give the result set a name."))
        asked = form.cleaned_data
        kept = keep_at_once_or_later(
            self.object,
            name=asked["name"],
            as_of=form.moment,
            assume_present=asked["assume"],
            by=self.user,
            now=self.now,
        )
        page = reverse("workbench:result_set_detail", args=[kept.pk])
        if kept.is_waiting:
            fill_result_set.delay_on_commit(kept.pk)  # type: ignore[attr-defined]
            messages.info(self.request, _("These are many, or it takes long: they are being looked up. You can go on."))
            return page
        words = ngettext("%(n)d customer has been kept.", "%(n)d customers have been kept.", kept.member_count)
        messages.success(self.request, words % {"n": kept.member_count})
        return page


class ResultSetDetail(ResultSetAudience, DetailPage[ResultSet]):
    permission = "manage_selections"
    template_name = "workbench/result_sets_detail.html"

    def get_queryset(self) -> QuerySet[ResultSet]:
        return self.with_waiting()

    def get_breadcrumb(self) -> list[Any]:
        return self.above[:1]

    def render(self, status: int = 200, **extra: Any) -> HttpResponse:
        if self.object.is_waiting:
            self.template_name = "workbench/result_sets_waiting.html"
        return super().render(status, **extra)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        kept = self.object
        if kept.is_waiting:
            return super().get_context(**extra)
        found = people_of(kept, now=self.now)
        count = found.count()
        rule = json.dumps(part_rule([kept], [True]).to_json())
        return super().get_context(
            count=count,
            gone=max(kept.member_count - count, 0),
            people=people_page(self.request, found, count=count),
            uses=used_by(kept),
            selection_url=f"{reverse('workbench:selection_create')}?{urlencode({'rule': rule, 'name': kept.name})}",
            compare_url=self._compare_url(),
            label_form=BulkLabelForm(),
            export_form=ExportForm(),
            exports=_exports(kept),
            may_export=self.user.has_perm("common.export_customers"),
            **extra,
        )

    def _compare_url(self) -> str:
        """The address on which it is laid over the selection as it is now."""
        kept = self.object
        if kept.selection_id is None:
            return ""
        return f"{reverse('workbench:selection_compare')}?one=s{kept.selection_id}&two=r{kept.pk}"


class ResultSetRename(ResultSetAudience, FormPage[RenameForm]):
    permission = "manage_selections"
    form_class = RenameForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The result set has another name.")

    def get_title(self) -> str:
        return _("Rename “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return self.above

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def perform(self, form: RenameForm) -> str:
        rename_result_set(self.object, name=form.cleaned_data["name"])
        return self.thing_url


class ResultSetDelete(ResultSetAudience, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("The result set has been deleted.")

    def get_queryset(self) -> QuerySet[ResultSet]:
        return self.with_waiting()

    def perform(self) -> str:
        delete_result_set(self.object)
        return reverse("workbench:result_set_list")


def _exports(kept: ResultSet) -> list[dict[str, Any]]:
    exports = list(Export.objects.filter(result_set=kept)[:EXPORTS_SHOWN])
    names = user_names(export.user_id for export in exports)
    return [{"export": export, "who": names.get(export.user_id or 0, "")} for export in exports]


urlpatterns = [
    path("selections/<int:pk>/keep/", ResultSetKeep.as_view(), name="selection_keep"),
    path("result-sets/", ResultSetList.as_view(), name="result_set_list"),
    path("result-sets/<int:pk>/", ResultSetDetail.as_view(), name="result_set_detail"),
    path("result-sets/<int:pk>/rename/", ResultSetRename.as_view(), name="result_set_rename"),
    path("result-sets/<int:pk>/delete/", ResultSetDelete.as_view(), name="result_set_delete"),
]
