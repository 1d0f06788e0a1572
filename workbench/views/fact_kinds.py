"""Kinds of activity: what there is of each, for how long it is kept, and kinds of the organisation's own."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from customers.actions import kinds as actions
from customers.facts import FactKind, fact_kinds, look_backs
from customers.models import KindSetting
from customers.tasks import tally_facts
from workbench import kind_figures
from workbench.base import ActionView, FormPage, TemplatePage, WorkbenchView
from workbench.changes import changes_of
from workbench.forms.fact_kinds import KindForm, RetentionForm


def page_of(code: str) -> str:
    return reverse("workbench:fact_kind_detail", args=[code])


class KindMixin(WorkbenchView):
    abstract = True

    @cached_property
    def kind(self) -> FactKind:
        found = fact_kinds.get(self.kwargs["code"])
        if found is None:
            raise Http404
        return found

    @cached_property
    def own(self) -> KindSetting:
        found = KindSetting.objects.filter(code=self.kwargs["code"], is_own=True).first()
        if found is None:
            raise Http404
        return found

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Kinds of activity"), reverse("workbench:fact_kind_list"))]


class KindList(TemplatePage):
    permission = "view_customers"
    page_title = _("Kinds of activity")
    template_name = "workbench/fact_kinds_list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(rows=kind_figures.all_kinds(), counted_at=kind_figures.counted_at(), **extra)


class KindCount(ActionView):
    permission = "view_customers"
    success_message = _("It is being counted; look again in a minute.")

    def perform(self) -> str:
        tally_facts.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:fact_kind_list")


class KindDetail(KindMixin, TemplatePage):
    permission = "view_customers"
    template_name = "workbench/fact_kinds_page.html"

    def get_title(self) -> Any:
        return self.kind.name

    def get_context(self, **extra: Any) -> dict[str, Any]:
        figures = next(row for row in kind_figures.all_kinds() if row.kind.code == self.kind.code)
        months = kind_figures.per_month(self.kind.code, now=self.now)
        kept = figures.keep_months
        return super().get_context(
            row=figures,
            chart={
                "labels": [date_format(month, "b Y") for month in months],
                "datasets": [{"label": str(self.kind.name), "data": list(months.values())}],
            },
            look_backs=[look for look in look_backs if self.kind.code in look.kinds],
            further=kind_figures.looking_further(self.kind.code, kept, now=self.now) if kept else [],
            history=changes_of(figures.setting, ignore=["kept_from"]) if figures.setting else [],
            **extra,
        )


class KindAdd(KindMixin, FormPage[KindForm]):
    permission = "manage_users"
    form_class = KindForm
    page_title = _("New kind of activity")
    submit_label = _("Add")
    success_message = _("Added. It can be imported and used in selections from now on.")

    def perform(self, form: KindForm) -> str:
        return page_of(actions.add_kind(**form.cleaned_data, by=self.user, now=self.now).code)


class KindChange(KindMixin, FormPage[KindForm]):
    permission = "manage_users"
    form_class = KindForm
    submit_label = _("Save")
    success_message = _("Saved.")

    def get_title(self) -> Any:
        return self.own.name

    def get_cancel_url(self) -> str:
        return page_of(self.own.code)

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.own, name) for name in KindForm.base_fields}

    def perform(self, form: KindForm) -> str:
        return page_of(actions.change_kind(self.own, **form.cleaned_data, by=self.user, now=self.now).code)


class KindRemove(KindMixin, ActionView):
    permission = "manage_users"
    success_message = _("The kind has been removed.")

    def perform(self) -> str:
        actions.remove_kind(self.own, by=self.user, now=self.now)
        return reverse("workbench:fact_kind_list")


class KindRetention(KindMixin, FormPage[RetentionForm]):
    permission = "manage_users"
    form_class = RetentionForm
    template_name = "workbench/fact_kinds_retention.html"
    page_title = _("How long it is kept")
    submit_label = _("Save")
    success_message = _("Saved. It holds from the coming night on.")

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (self.kind.name, page_of(self.kind.code))]

    def get_initial(self) -> dict[str, Any]:
        setting = KindSetting.objects.filter(code=self.kind.code).first()
        return {"months": setting.keep_months if setting else self.kind.keep_months}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        looks = [look for look in look_backs if self.kind.code in look.kinds]
        return super().get_context(kind=self.kind, look_backs=looks, **extra)

    def perform(self, form: RetentionForm) -> str:
        actions.set_retention(self.kind.code, months=form.cleaned_data["months"], by=self.user, now=self.now)
        return page_of(self.kind.code)


urlpatterns = [
    path("kinds/", KindList.as_view(), name="fact_kind_list"),
    path("kinds/count/", KindCount.as_view(), name="fact_kind_count"),
    path("kinds/add/", KindAdd.as_view(), name="fact_kind_add"),
    path("kinds/of/<slug:code>/", KindDetail.as_view(), name="fact_kind_detail"),
    path("kinds/of/<slug:code>/change/", KindChange.as_view(), name="fact_kind_change"),
    path("kinds/of/<slug:code>/retention/", KindRetention.as_view(), name="fact_kind_retention"),
    path("kinds/of/<slug:code>/remove/", KindRemove.as_view(), name="fact_kind_remove"),
]
