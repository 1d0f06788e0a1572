"""Computed values: numbers per customer by a formula over what he did, kept by the nightly run."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from labels.actions.computed import change_value, create_value, preview_value, remove_value
from labels.formulas import STANDARD, formula_in_words, read_terms
from labels.models import ValueDefinition
from labels.tasks import refresh_system_labels_changed
from labels.values import ComputedValue
from selections.usages import uses_of
from workbench.base import ActionView, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.computed import ROWS, ValueForm, initial_of


def crumbs(*more: tuple[Any, str]) -> list[Any]:
    return [(_("Labels"), reverse("workbench:label_list")), *more]


class ValueMixin(ObjectMixin[ValueDefinition]):
    def get_queryset(self) -> QuerySet[ValueDefinition]:
        return ValueDefinition.objects.all()


class ValueList(TemplatePage):
    permission = "manage_labels"
    page_title = _("Computed values")
    template_name = "workbench/computed_list.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        found = ValueDefinition.objects.annotate(known=Count("numbers"))
        rows = [
            {
                "value": one,
                "about": one.description or (STANDARD[one.code][1] if one.code in STANDARD else ""),
                "formula": formula_in_words(read_terms(one.terms), unit=one.unit),
            }
            for one in found
        ]
        return super().get_context(rows=rows, **extra)


class _ValueForm(FormPage[ValueForm]):
    """A form that can also tell what the formula gives, without saving it."""

    abstract = True
    form_class = ValueForm
    template_name = "workbench/computed_form.html"
    success_message = _("Saved. It is being computed; look again in a minute.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((_("Computed values"), reverse("workbench:value_list")))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.make_form()
        if not form.is_valid():
            return self.render(status=422, form=form)
        try:
            preview = preview_value(form.terms, now=self.now)
        except Refused as refused:
            form.add_error(None, str(refused))
            return self.render(status=422, form=form)
        words = ComputedValue(ValueDefinition(code="draft", unit=form.cleaned_data["unit"], terms=form.terms)).words
        spread = zip((_("lowest"), _("a quarter has at most"), _("half has at most"),
                      _("three quarters have at most"), _("highest")), preview.quartiles, strict=False)  # fmt: skip
        return self.render(
            form=form,
            preview=preview,
            spread=[(name, words(number)) for name, number in spread],
            examples=[(customer, words(number)) for customer, number in preview.examples],
        )

    def saved(self) -> str:
        refresh_system_labels_changed.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:value_list")


class ValueCreate(_ValueForm):
    permission = "manage_labels"
    page_title = _("New computed value")
    submit_label = _("Make")

    def perform(self, form: ValueForm) -> str:
        create_value(**form.values, by=self.user, now=self.now)
        return self.saved()


class ValueChange(ValueMixin, _ValueForm):
    permission = "manage_labels"
    submit_label = _("Save")

    def get_title(self) -> str:
        return str(self.object)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"rows": max(ROWS, len(self.object.terms))}

    def get_initial(self) -> dict[str, Any]:
        known = STANDARD.get(self.object.code)
        return {
            "name": str(self.object),
            "description": self.object.description or (known[1] if known else ""),
            "unit": self.object.unit,
            **initial_of(self.object.terms, unit=self.object.unit),
        }

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(
            object=self.object, uses=uses_of(self.object), history=changes_of(self.object), **extra
        )

    def perform(self, form: ValueForm) -> str:
        change_value(self.object, **form.values, by=self.user)
        return self.saved()


class ValueRemove(ValueMixin, ActionView):
    permission = "manage_labels"
    success_message = _("The value has been removed.")

    def perform(self) -> str:
        remove_value(self.object, by=self.user)
        return reverse("workbench:value_list")


urlpatterns = [
    path("labels/values/", ValueList.as_view(), name="value_list"),
    path("labels/values/new/", ValueCreate.as_view(), name="value_create"),
    path("labels/values/<int:pk>/", ValueChange.as_view(), name="value_change"),
    path("labels/values/<int:pk>/remove/", ValueRemove.as_view(), name="value_remove"),
]
