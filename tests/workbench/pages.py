"""Pages made only of the building blocks, with addresses of their own, to test what every page has."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.functional import Promise

from common.errors import Refused
from customers.models import Branch
from wise_marketing.urls import urlpatterns as product
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, TemplatePage
from workbench.columns import CentsColumn, MomentColumn, NumberColumn


class BranchTable(tables.Table):  # type: ignore[misc]
    name = tables.Column("Naam", linkify=lambda record: f"/t/branches/{record.pk}/")
    code = tables.Column("Code")


class BranchFilter(django_filters.FilterSet):  # type: ignore[misc]
    name = django_filters.CharFilter(lookup_expr="icontains", label="Naam bevat")


class BranchForm(forms.Form):
    name = forms.CharField(label="Naam", help_text="Zoals op de gevel.")
    opened_on = forms.DateField(label="Open sinds", required=False)


class FigureTable(tables.Table):  # type: ignore[misc]
    name = tables.Column("Naam")
    loans = NumberColumn(verbose_name="Uitleningen")
    paid = CentsColumn(verbose_name="Betaald")
    since = MomentColumn(verbose_name="Sinds")


class BranchList(ListPage):
    permission = "view_customers"
    page_title = "Vestigingen"
    table_class = BranchTable
    filterset_class = BranchFilter
    rows_per_page = 3
    create_label = "Nieuwe vestiging"
    create_permission = "manage_users"
    empty_title = "Nog geen vestigingen"

    def get_queryset(self) -> QuerySet[Branch]:
        return Branch.objects.order_by("name")

    def get_create_url(self) -> str:
        return "/t/branches/add/"


class BranchPage(DetailPage[Branch]):
    permission = "view_customers"
    template_name = "workbench/form.html"

    def get_queryset(self) -> QuerySet[Branch]:
        return Branch.objects.all()

    def get_breadcrumb(self) -> list[tuple[str | Promise, str]]:
        return [("Vestigingen", "/t/branches/")]


class BranchAdd(FormPage[BranchForm]):
    permission = "manage_labels"
    page_title = "Nieuwe vestiging"
    form_class = BranchForm
    success_message = "Bewaard"
    cancel_url = "/t/branches/"

    def perform(self, form: BranchForm) -> str:
        name = form.cleaned_data["name"]
        if name == "Overal":
            raise Refused("place_taken", "Die naam bestaat al.", field="name")
        if name == "Nergens":
            raise Refused("no_place", "Er is geen plaats.")
        Branch.objects.create(name=name, code=name.lower())
        return "/t/branches/"


class BranchClose(ObjectMixin[Branch], ActionView):
    permission = "manage_users"
    success_message = "Gesloten"

    def get_queryset(self) -> QuerySet[Branch]:
        return Branch.objects.all()

    def perform(self) -> str:
        if self.object.name == "Edam":
            raise Refused("branch_in_use", "Edam heeft nog klanten.")
        self.object.delete()
        return "/t/branches/"


class Figures(TemplatePage):
    permission = "view_workbench"
    page_title = "Cijfers"
    template_name = "workbench/list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        rows = [{"name": "Edam", "loans": 1234567, "paid": 125050, "since": dt.date(2026, 3, 1)}]
        return super().get_context(table=FigureTable(rows), total=1, view=BranchList(), **extra)


class KitForm(forms.Form):
    name = forms.CharField(label="Naam", help_text="Zoals op de pas.")
    branch = forms.ChoiceField(label="Vestiging", choices=[("e", "Edam"), ("m", "Marken")])
    kind = forms.ChoiceField(label="Soort", choices=[("a", "Lid"), ("b", "Prospect")], widget=forms.RadioSelect)
    days = forms.MultipleChoiceField(
        label="Dagen", choices=[("1", "maandag"), ("2", "dinsdag")], widget=forms.CheckboxSelectMultiple, required=False
    )
    labels = forms.MultipleChoiceField(
        label="Labels",
        choices=[("1", "Lezer"), ("2", "Kijker")],
        required=False,
        widget=forms.SelectMultiple({"data-enhance": True}),
    )
    agreed = forms.BooleanField(label="Akkoord", help_text="Nodig.")


class Kit(FormPage[KitForm]):
    permission = "view_workbench"
    page_title = "Proefpagina"
    template_name = "kit/kit.html"
    form_class = KitForm
    success_message = "Weg is weg"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        day = dt.date(2026, 6, 15)
        return super().get_context(
            evil="\"><script>document.title = 'evil'</script>",
            tabs=[{"label": "Een", "url": "/t/kit/", "active": True}, {"label": "Twee", "url": "/t/kit/", "count": 12}],
            steps=[{"label": "Een", "state": "done"}, {"label": "Twee", "state": "current"}],
            chart={"labels": ["ma", "di"], "datasets": [{"label": "Verzonden", "data": [1, 2000]}]},
            rows=[{"label": "Mag", "value": 7, "tone": "success"}, {"label": "Mag niet", "value": 3, "sub": "AVG"}],
            month=day,
            events=[{"date": day, "title": "Welkomstmail", "url": "/t/kit/"}],
            **extra,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "name" in request.POST:
            return super().post(request)
        messages.success(request, self.success_message)
        return self.go("/t/kit/")

    def perform(self, form: KitForm) -> str:
        return "/t/kit/"


class KitOrder(ActionView):
    permission = "view_workbench"

    def perform(self) -> str:
        messages.info(self.request, " ".join(self.request.POST.getlist("order")))
        return "/t/kit/"


urlpatterns = [
    path("t/kit/", Kit.as_view()),
    path("t/kit/order/", KitOrder.as_view()),
    path("t/branches/", BranchList.as_view()),
    path("t/branches/add/", BranchAdd.as_view()),
    path("t/branches/<int:pk>/", BranchPage.as_view()),
    path("t/branches/<int:pk>/close/", BranchClose.as_view()),
    path("t/figures/", Figures.as_view()),
    path("", include(product)),
]
