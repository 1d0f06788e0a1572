"""Parents and children: recording who answers for whom, and taking that away."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from customers.actions.guardians import add_guardian, end_guardian
from customers.models import Guardianship
from workbench.base import ActionView, FormPage, ObjectMixin
from workbench.forms.merges import GuardianForm
from workbench.views.customers_base import CustomerMixin, page_of


class GuardianAdd(CustomerMixin, FormPage[GuardianForm]):
    permission = "change_customers"
    form_class = GuardianForm
    page_title = _("Add a parent or child")
    submit_label = _("Add")
    success_message = _("Added.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list")), (str(self.object), page_of(self.object))]

    def perform(self, form: GuardianForm) -> str:
        other = form.cleaned_data["number"]
        is_parent = form.cleaned_data["relation"] == "guardian"
        child, guardian = (self.object, other) if is_parent else (other, self.object)
        add_guardian(child, guardian, by=self.user, now=self.now)
        return page_of(self.object)


class GuardianEnd(ObjectMixin[Guardianship], ActionView):
    permission = "change_customers"
    success_message = _("Removed.")

    def get_queryset(self) -> QuerySet[Guardianship]:
        return Guardianship.objects.select_related("child", "guardian")

    def perform(self) -> str:
        back, bond = self.came_from(), self.object
        end_guardian(bond, by=self.user, now=self.now)
        return back if back != "/" else page_of(bond.child)


urlpatterns = [
    path("customers/<int:pk>/guardians/add/", GuardianAdd.as_view(), name="guardian_add"),
    path("guardians/<int:pk>/end/", GuardianEnd.as_view(), name="guardian_end"),
]
