"""Customers: the list with its search, adding and changing; the pages of one customer are in ``customer_pages``."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.templatetags.ui import phone
from customers.actions import add_customer, change_customer
from customers.actions.addresses import record_post_news
from customers.models import Customer
from customers.search import MOST
from workbench.base import FormPage, ListPage, ObjectMixin
from workbench.filters.customers import CustomerFilter
from workbench.forms.customers import ChangeCustomerForm, NewCustomerForm
from workbench.tables.customers import CustomerTable
from workbench.views import customer_pages
from workbench.views.customer_pages import page_of
from workbench.views.customers_search import CustomerFind


class CustomerList(ListPage):
    permission = "view_customers"
    page_title = gettext_lazy("Customers")
    table_class = CustomerTable
    filterset_class = CustomerFilter
    empty_title = gettext_lazy("No customers yet")
    empty_text = gettext_lazy("Import the customers of your library system or theatre.")
    empty_icon = "users"
    create_label = gettext_lazy("New customer")
    create_permission = "change_customers"
    template_name = "workbench/customers_list.html"

    def get_queryset(self) -> QuerySet[Customer]:
        customers = Customer.objects.with_contact_values().select_related("branch")
        return customers.order_by("name_key", "pk")

    def get_create_url(self) -> str:
        return reverse("workbench:customer_create")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        shown = super().get_context(**extra)
        return shown | {"is_cut": bool(shown["filter"].words) and shown["total"] == MOST}


class CustomerCreate(FormPage[NewCustomerForm]):
    permission = "change_customers"
    template_name = "workbench/customers_form.html"
    form_class = NewCustomerForm
    page_title = gettext_lazy("New customer")
    submit_label = gettext_lazy("Add customer")
    success_message = gettext_lazy("The customer has been added.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list"))]

    def get_cancel_url(self) -> str:
        return reverse("workbench:customer_list")

    def perform(self, form: NewCustomerForm) -> str:
        return page_of(add_customer(by=self.user, now=self.now, **form.cleaned_data))


class CustomerChangePage(ObjectMixin[Customer], FormPage[ChangeCustomerForm]):
    permission = "change_customers"
    template_name = "workbench/customers_form.html"
    form_class = ChangeCustomerForm
    submit_label = gettext_lazy("Save changes")
    success_message = gettext_lazy("The customer has been changed.")

    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.with_contact_values()

    def get_title(self) -> str:
        return _("Change %s") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return [
            (_("Customers"), reverse("workbench:customer_list")),
            (str(self.object), page_of(self.object)),
        ]

    def get_initial(self) -> dict[str, Any]:
        shown = {name: getattr(self.object, name) for name in ChangeCustomerForm.base_fields}
        return shown | {
            "postal_code": " ".join(filter(None, [self.object.postal_code[:4], self.object.postal_code[4:]])),
            "phone": phone(shown["phone"]),
        }

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    @transaction.atomic
    def perform(self, form: ChangeCustomerForm) -> str:
        said = dict(form.cleaned_data)
        news = said.pop("address_state")
        changed = change_customer(self.object, by=self.user, now=self.now, **said)
        if news != self.object.address_state:  # else a new address, which clears the news, would get it back
            record_post_news(changed, news, by=self.user, now=self.now)
        return page_of(changed)


urlpatterns = [
    path("customers/", CustomerList.as_view(), name="customer_list"),
    path("customers/new/", CustomerCreate.as_view(), name="customer_create"),
    path("customers/<int:pk>/change/", CustomerChangePage.as_view(), name="customer_change"),
    path("customers/find/", CustomerFind.as_view(), name="customer_find"),
    *customer_pages.urlpatterns,
]
