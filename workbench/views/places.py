"""Places and distance: where branches lie, and of how many customers the postal code has a known place."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left
from django.urls import path, reverse
from django.utils.translation import gettext_lazy

from customers.actions.places import place_branch
from customers.models import Branch, BranchPlace, Customer, PostalPlace
from customers.places import AREA, branch_places
from workbench.base import FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.calendar import PlaceForm


def page() -> str:
    return reverse("workbench:place_list")


def figures() -> dict[str, int]:
    """Return how many customers have a postal code, and of how many its place is known; one statement."""
    exact = Exists(PostalPlace.objects.filter(code=OuterRef("postal_code")))
    area = Exists(PostalPlace.objects.filter(code=Left(OuterRef("postal_code"), AREA)))
    having = Customer.objects.exclude(postal_code="").order_by()
    return having.aggregate(having=Count("pk"), placed=Count("pk", filter=Q(exact) | Q(area)))


class PlaceList(TemplatePage):
    permission = "manage_selections"
    page_title = gettext_lazy("Places and distance")
    template_name = "workbench/places_list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        places = branch_places()
        return super().get_context(
            rows=[(branch, places.get(branch.pk)) for branch in Branch.objects.all()],
            codes=PostalPlace.objects.count(),
            **figures(),
            **extra,
        )


class PlaceChange(ObjectMixin[Branch], FormPage[PlaceForm]):
    permission = "manage_users"
    template_name = "workbench/places_form.html"
    form_class = PlaceForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved.")

    def get_queryset(self) -> QuerySet[Branch]:
        return Branch.objects.all()

    def get_title(self) -> str:
        return str(self.object)

    def get_breadcrumb(self) -> list[Any]:
        return [(gettext_lazy("Places and distance"), page())]

    @property
    def place(self) -> BranchPlace | None:
        return BranchPlace.objects.filter(branch=self.object).first()

    def get_initial(self) -> dict[str, Any]:
        place = self.place
        return {"latitude": place.latitude, "longitude": place.longitude} if place else {}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        place = self.place
        return super().get_context(history=changes_of(place) if place else [], **extra)

    def perform(self, form: PlaceForm) -> str:
        place_branch(self.object, **form.cleaned_data, by=self.user)
        return page()


urlpatterns = [
    path("places/", PlaceList.as_view(), name="place_list"),
    path("places/<int:pk>/", PlaceChange.as_view(), name="place_change"),
]
