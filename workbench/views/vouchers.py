"""Vouchers: what they are worth, giving them out, and what became of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.time import local_date
from customers.models import Customer
from selections.compiler import members
from vouchers import actions
from vouchers.models import Attempt, Definition, Redemption
from vouchers.models.definitions import FROZEN
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.filters.vouchers import DefinitionFilter
from workbench.forms.vouchers import DefinitionForm, IssueForm
from workbench.tables.vouchers import DefinitionTable
from workbench.views import voucher_codes
from workbench.views.voucher_codes import crumbs, page_of
from workbench.voucher_figures import branch_rows, delay_rows, example, weeks_chart


class _Definitions(ObjectMixin[Definition]):
    def get_queryset(self) -> QuerySet[Definition]:
        return Definition.objects.prefetch_related("branches")


class VoucherList(ListPage):
    permission = "manage_vouchers"
    page_title = gettext_lazy("Vouchers")
    lead = gettext_lazy("Discounts and gifts, each with a code of its own for every customer.")
    table_class = DefinitionTable
    filterset_class = DefinitionFilter
    create_label = gettext_lazy("New voucher")
    empty_icon = "ticket-percent"
    empty_title = gettext_lazy("No vouchers yet")
    empty_text = gettext_lazy("Make one, put it in an action or newsletter, and see here how many came back.")

    def get_queryset(self) -> QuerySet[Definition]:
        return Definition.objects.with_totals(today=local_date(self.now))

    def get_create_url(self) -> str:
        return reverse("workbench:voucher_add")


class _DefinitionPage(FormPage[DefinitionForm]):
    abstract = True
    template_name = "workbench/vouchers_form.html"
    form_class = DefinitionForm

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = extra.pop("form", None) or self.make_form()
        values = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
        return super().get_context(form=form, example=example(values), **extra)


class VoucherAdd(_DefinitionPage):
    permission = "manage_vouchers"
    page_title = gettext_lazy("New voucher")
    submit_label = gettext_lazy("Make the voucher")
    success_message = gettext_lazy("The voucher has been made as a draft. Activate it when it is right.")

    def get_initial(self) -> dict[str, Any]:
        return {"benefit": "percent", "percent": 25, "holder": "customer", "uses_per_code": 1, "valid_days": 30}

    def get_cancel_url(self) -> str:
        return reverse("workbench:voucher_list")

    def perform(self, form: DefinitionForm) -> str:
        return page_of(actions.define_voucher(**form.cleaned_data, by=self.user, now=self.now))


class VoucherChange(_Definitions, _DefinitionPage):
    permission = "manage_vouchers"
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The voucher has been changed.")

    def get_title(self) -> str:
        return _("Change “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def get_initial(self) -> dict[str, Any]:
        return DefinitionForm.initial_of(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(is_frozen=self.is_frozen, **extra)

    def make_form(self) -> DefinitionForm:
        form = super().make_form()
        for name in FROZEN if self.is_frozen else ():
            if name in form.fields:
                form.fields[name].disabled = True
        return form

    @cached_property
    def is_frozen(self) -> bool:
        return self.object.vouchers.exists()

    def perform(self, form: DefinitionForm) -> str:
        return page_of(actions.change_voucher(self.object, by=self.user, **form.cleaned_data))


class VoucherExample(WorkbenchView):
    """What the form would come to, while it is being filled in; reads only."""

    permission = "manage_vouchers"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = DefinitionForm(request.GET)
        form.is_valid()
        return TemplateResponse(request, "workbench/_vouchers_example.html", {"example": example(form.cleaned_data)})


class VoucherDetail(_Definitions, DetailPage[Definition]):
    permission = "manage_vouchers"
    template_name = "workbench/vouchers_detail.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_queryset(self) -> QuerySet[Definition]:
        return super().get_queryset().with_totals(today=local_date(self.now))  # type: ignore[attr-defined, no-any-return]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        standing = Redemption.objects.of_definition(self.object).standing()
        refusals = Attempt.objects.filter(voucher__definition=self.object).by_reason()
        return super().get_context(
            weeks=weeks_chart(standing),
            branches=branch_rows(standing),
            delays=delay_rows(standing),
            refusals=[{"label": words, "value": count, "tone": "danger"} for words, count in refusals],
            history=changes_of(self.object),
            **extra,
        )


class VoucherIssue(_Definitions, FormPage[IssueForm]):
    """GET with a choice shows how many it comes to; POST gives them out, once per page that was shown."""

    permission = "manage_vouchers"
    template_name = "workbench/vouchers_issue.html"
    form_class = IssueForm

    def get_title(self) -> str:
        return _("Give out “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def make_form(self) -> IssueForm:
        data = self.request.POST or (self.request.GET if "to" in self.request.GET else None)
        return IssueForm(data=data, definition=self.object, initial={"key": get_random_string(12)})

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = extra.pop("form", None) or self.make_form()
        count = None
        if form.is_bound and form.is_valid():
            to = form.cleaned_data["to"]
            count = form.cleaned_data["count"] if to == form.To.NOBODY else self.receivers(form).count()
        return super().get_context(form=form, count=count, object=self.object, **extra)

    def receivers(self, form: IssueForm) -> QuerySet[Customer]:
        if form.cleaned_data["to"] == form.To.CUSTOMER:
            return Customer.objects.filter(pk=form.cleaned_data["customer"].pk)
        return members(form.cleaned_data["selection"], now=self.now)

    def perform(self, form: IssueForm) -> str:
        key = form.cleaned_data["key"]
        if form.cleaned_data["to"] == form.To.NOBODY:
            how_many = form.cleaned_data["count"]
            issued = actions.issue_anonymous(self.object, count=how_many, origin=origin_of(key), now=self.now)
        else:
            issued = actions.issue_vouchers(self.object, self.receivers(form), origin=origin_of(key), now=self.now)
        text = ngettext("%(count)s voucher has been given out.", "%(count)s vouchers have been given out.", issued)
        messages.success(self.request, text % {"count": issued})
        return f"{reverse('workbench:voucher_codes', args=[self.object.pk])}?issue={key}"


class _Move(_Definitions, ActionView):
    abstract = True

    def move(self) -> None:
        raise NotImplementedError

    def perform(self) -> str:
        self.move()
        return page_of(self.object)


class VoucherActivate(_Move):
    permission = "manage_vouchers"
    success_message = gettext_lazy("The voucher is active: it can be given out and used.")

    def move(self) -> None:
        actions.activate(self.object, by=self.user)


class VoucherPause(_Move):
    permission = "manage_vouchers"
    success_message = gettext_lazy("The voucher is paused: nothing is given out or taken in.")

    def move(self) -> None:
        actions.pause(self.object, by=self.user)


class VoucherClose(_Move):
    permission = "manage_vouchers"
    success_message = gettext_lazy("The voucher has been closed for good.")

    def move(self) -> None:
        actions.close(self.object, by=self.user)


def origin_of(key: str) -> str:
    return f"by hand:{key}"


urlpatterns = [
    path("vouchers/", VoucherList.as_view(), name="voucher_list"),
    path("vouchers/add/", VoucherAdd.as_view(), name="voucher_add"),
    path("vouchers/example/", VoucherExample.as_view(), name="voucher_example"),
    path("vouchers/<int:pk>/", VoucherDetail.as_view(), name="voucher_detail"),
    path("vouchers/<int:pk>/change/", VoucherChange.as_view(), name="voucher_change"),
    path("vouchers/<int:pk>/issue/", VoucherIssue.as_view(), name="voucher_issue"),
    path("vouchers/<int:pk>/activate/", VoucherActivate.as_view(), name="voucher_activate"),
    path("vouchers/<int:pk>/pause/", VoucherPause.as_view(), name="voucher_pause"),
    path("vouchers/<int:pk>/close/", VoucherClose.as_view(), name="voucher_close"),
    *voucher_codes.urlpatterns,
]
