"""The codes of a voucher: find one, see what happened to it, block it, print a pile."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.time import local_date
from mailings.models import Mailing
from vouchers import actions, drawings
from vouchers.letters import MOST_ON_PAPER, print_vouchers
from vouchers.models import Definition, Voucher
from workbench.base import DetailPage, FormPage, ListPage, ObjectMixin, WorkbenchView
from workbench.filters.vouchers import CodeFilter
from workbench.forms.vouchers import BlockForm
from workbench.menu import address
from workbench.tables.vouchers import CodeTable, state_of


def page_of(definition: Definition) -> str:
    return reverse("workbench:voucher_detail", args=[definition.pk])


def crumbs(definition: Definition | None = None) -> list[Any]:
    vouchers = (gettext_lazy("Vouchers"), reverse("workbench:voucher_list"))
    return [vouchers, (definition.name, page_of(definition))] if definition else [vouchers]


class CodeList(ListPage):
    permission = "manage_vouchers"
    template_name = "workbench/vouchers_codes.html"
    table_class = CodeTable
    filterset_class = CodeFilter
    empty_icon = "ticket"
    empty_title = gettext_lazy("No codes yet")
    empty_text = gettext_lazy("Codes appear when the voucher is given out: by a mailing, or by hand.")

    @cached_property
    def definition(self) -> Definition:
        return get_object_or_404(Definition, pk=self.kwargs["pk"])

    def get_title(self) -> str:
        return _("Codes of “%(name)s”") % {"name": self.definition}

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.definition)

    def get_queryset(self) -> QuerySet[Voucher]:
        return Voucher.objects.for_pages().filter(definition=self.definition)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(issue=self.request.GET.get("issue", ""), most=MOST_ON_PAPER, **extra)


class CodePrint(WorkbenchView):
    """The codes of one issue by hand, as PDF."""

    permission = "manage_vouchers"

    def get(self, request: HttpRequest, pk: int, issue: str) -> HttpResponse:
        codes = Voucher.objects.for_pages().filter(definition=pk, origin=f"by hand:{issue}").order_by("id")
        return pdf_of(list(codes[: MOST_ON_PAPER + 1]), name=f"bonnen-{issue}")


class _Codes(ObjectMixin[Voucher]):
    def get_queryset(self) -> QuerySet[Voucher]:
        return Voucher.objects.for_pages().select_related("blocked_by")


class CodeDetail(_Codes, DetailPage[Voucher]):
    permission = "manage_vouchers"
    template_name = "workbench/vouchers_code.html"

    def get_breadcrumb(self) -> list[Any]:
        definition = self.object.definition
        return [*crumbs(definition), (_("Codes"), reverse("workbench:voucher_codes", args=[definition.pk]))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        words, tone = state_of(self.object, local_date(self.now))
        return super().get_context(
            state=words,
            tone=tone,
            redemptions=self.object.redemptions.for_pages(),
            attempts=self.object.attempts.select_related("branch", "staff")[:20],
            qr=drawings.qr_svg(self.object.code),
            origin=origin_words(self.object.origin),
            origin_url=origin_url(self.object.origin),
            **extra,
        )


class CodeBlock(_Codes, FormPage[BlockForm]):
    permission = "manage_vouchers"
    form_class = BlockForm
    submit_label = gettext_lazy("Block this code")
    success_message = gettext_lazy("The code has been blocked. It cannot be used any more.")

    def get_title(self) -> str:
        return _("Block code %(code)s") % {"code": self.object.grouped_code}

    def get_breadcrumb(self) -> list[Any]:
        return [*crumbs(self.object.definition), (self.object.grouped_code, self.get_cancel_url())]

    def get_cancel_url(self) -> str:
        return reverse("workbench:voucher_code", args=[self.object.pk])

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(submit_variant="danger", **extra)

    def perform(self, form: BlockForm) -> str:
        actions.block_voucher(self.object, reason=form.cleaned_data["reason"], by=self.user, now=self.now)
        return self.get_cancel_url()


class CodePdf(_Codes, WorkbenchView):
    permission = "manage_vouchers"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return pdf_of([self.object], name=f"bon-{self.object.grouped_code}")


def origin_words(origin: str) -> str:
    """Say through what a voucher was given: ``mailing:12``, ``by hand:…``, ``api:…``."""
    kind, _colon, which = origin.partition(":")
    if kind == "mailing":
        name = Mailing.objects.filter(pk=which).values_list("name", flat=True).first()
        return name or _("Mailing %(number)s") % {"number": which}
    return {"by hand": _("By hand"), "api": _("API: %(occasion)s") % {"occasion": which}}.get(kind, origin)


def origin_url(origin: str) -> str:
    kind, _colon, which = origin.partition(":")
    return address("workbench:mailing_detail", which) if kind == "mailing" else ""


def pdf_of(codes: list[Voucher], *, name: str) -> HttpResponse:
    if len(codes) > MOST_ON_PAPER:
        raise Refused("too_many", _("That is too much for one PDF. Send these vouchers with a mailing instead."))
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(print_vouchers(codes), content_type="application/pdf", headers=headers)


urlpatterns = [
    path("vouchers/<int:pk>/codes/", CodeList.as_view(), name="voucher_codes"),
    path("vouchers/<int:pk>/codes/<slug:issue>/pdf/", CodePrint.as_view(), name="voucher_print"),
    path("vouchers/codes/<int:pk>/", CodeDetail.as_view(), name="voucher_code"),
    path("vouchers/codes/<int:pk>/block/", CodeBlock.as_view(), name="voucher_code_block"),
    path("vouchers/codes/<int:pk>/pdf/", CodePdf.as_view(), name="voucher_code_pdf"),
]
