"""What can be done with everybody in a selection or a result set: labels, files, calls, address labels; and the way to
campaigns and actions, which show their own numbers before anything happens.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from customers.models import Channel
from labels.actions import give_label, take_label
from labels.exports import WORKBOOK, csv_lines, file_name, workbook
from labels.models import Assignment
from mailings.address_labels import print_address_labels
from mailings.reaching import addresses, call_list, look, parts_of
from selections.actions import record_export
from selections.asking import people_of
from selections.models import Export, Selection
from workbench.audiences import About, ResultSetAudience, SelectionAudience, reason_of
from workbench.base import ActionView, FormPage
from workbench.forms.audiences import XLSX, AddressForm, PurposeForm, TakeOutForm, ToActionForm, ToCampaignForm
from workbench.forms.selections import BulkLabelForm
from workbench.views.selection_base import sentence_of

log = logging.getLogger("wise.exports")


class _Label(About, ActionView):
    """Give or take a label for everybody."""

    abstract = True

    def perform(self) -> str:
        form = BulkLabelForm(self.request.POST)
        if not form.is_valid():
            raise Refused("label_missing", _("Choose a label, and whether to give it or take it away."))
        label, by = form.cleaned_data["label"], self.user.get_full_name() or self.user.get_username()
        found, why = people_of(self.object, now=self.now), self._why()
        if form.cleaned_data["do"] == "give":
            count = give_label(label, found, by=by, now=self.now, **why)
            words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", count)
        else:
            count = take_label(label, found, by=by, now=self.now, **why)
            words = ngettext("%(n)d customer lost “%(label)s”.", "%(n)d customers lost “%(label)s”.", count)
        messages.success(self.request, words % {"n": count, "label": label})
        return self.thing_url

    def _why(self) -> dict[str, Any]:
        """Return what the history of the label keeps of where they came from."""
        reason = reason_of(self.object)
        if isinstance(self.object, Selection):
            return {"how": Assignment.How.SELECTION, "through": self.object.pk, "reason": reason}
        return {"reason": reason}


class SelectionLabel(SelectionAudience, _Label):
    permission = "change_customers"


class ResultSetLabel(ResultSetAudience, _Label):
    permission = "change_customers"


class _Told(About):
    """A page that tells in its own place why an audience cannot be worked out: its rule may not be readable."""

    def refuse(self, refused: Refused) -> HttpResponse:
        if self.request.method != "GET":  # type: ignore[attr-defined]
            answer: HttpResponse = super().refuse(refused)  # type: ignore[misc]
            return answer
        told = sentence_of(self.object) if isinstance(self.object, Selection) else {}
        shown = {"page_title": self.get_title(), "crumbs": self.above, "object": self.object, "problem": str(refused)}  # type: ignore[attr-defined]
        return TemplateResponse(self.request, "workbench/audience_refused.html", {**shown, **told})  # type: ignore[attr-defined]


class _TakeOutPage(_Told, FormPage[TakeOutForm]):
    """Choose what the file holds."""

    abstract = True
    form_class = TakeOutForm
    template_name = "workbench/audience_export.html"
    http_method_names = ["get"]
    download_name = ""

    def get_title(self) -> str:
        return _("Export “%s”") % str(self.object)

    def get_breadcrumb(self) -> list[Any]:
        return self.above

    def get_context(self, **extra: Any) -> dict[str, Any]:
        count = people_of(self.object, now=self.now).count()
        download = reverse(f"workbench:{self.download_name}", args=[self.object.pk])
        return super().get_context(count=count, download=download, object=self.object, **extra)


class SelectionTakeOut(SelectionAudience, _TakeOutPage):
    permission = "export_customers"
    download_name = "selection_export"


class ResultSetTakeOut(ResultSetAudience, _TakeOutPage):
    permission = "export_customers"
    download_name = "result_set_export"


class _Export(About, ActionView):
    """The customers as a file. The log says who took how many, never whom."""

    abstract = True

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        form = TakeOutForm(request.POST)
        if not form.is_valid():
            problem = str(next(iter(form.non_field_errors()), ""))
            raise Refused("columns_missing", problem or _("Choose at least one column."))
        columns, extra = form.cleaned_data["columns"], form.told_too(self.now)
        found = people_of(self.object, now=self.now)
        count, told = found.count(), [*columns, *extra.codes]
        is_workbook = form.cleaned_data["format"] == XLSX
        if is_workbook:
            body: Any = workbook(found, columns, extra, sheet=self.object.name, count=count)
        else:
            body = csv_lines(found, columns, extra)
        record_export(self.object, columns=told, row_count=count, by=self.user, now=self.now)
        kind = "selection" if isinstance(self.object, Selection) else "result_set"
        log.info("export %s=%d user=%d rows=%d columns=%s", kind, self.object.pk, self.user.pk, count, ",".join(told))
        response = StreamingHttpResponse(body, content_type=WORKBOOK if is_workbook else "text/csv; charset=utf-8")
        name = file_name(self.object, now=self.now, suffix="xlsx" if is_workbook else "csv")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class SelectionExport(SelectionAudience, _Export):
    permission = "export_customers"


class ResultSetExport(ResultSetAudience, _Export):
    permission = "export_customers"


class _ReachPage(_Told, FormPage[Any]):
    """GET with a purpose shows who may be reached; POST makes the file."""

    abstract = True
    template_name = "workbench/audience_reach.html"
    channel: Channel
    lead = gettext_lazy("First see who may be reached for the purpose, and who may not. Then make the file.")

    def get_breadcrumb(self) -> list[Any]:
        return self.above

    def make_form(self) -> Any:
        asked = self.request.POST or (self.request.GET if "purpose" in self.request.GET else None)
        return self.form_class(data=asked)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = extra.pop("form", None) or self.make_form()
        told: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            asked = form.cleaned_data
            reached = look(
                people_of(self.object, now=self.now),
                purpose=asked["purpose"],
                channel=self.channel,
                one_per_household=bool(asked.get("one_per_household")),
                now=self.now,
            )
            told = {"reached": reached, "parts": self.parts(reached.usable)}
        return super().get_context(form=form, object=self.object, **told, **extra)

    def parts(self, usable: int) -> list[dict[str, int]]:
        """Return the files it comes in."""
        return [{"number": 1, "first": 1, "last": usable}] if usable else []

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        form = self.make_form()
        if not form.is_valid():
            return self.render(status=422, form=form)
        return self.make_file(form.cleaned_data)

    def make_file(self, asked: dict[str, Any]) -> HttpResponseBase:
        raise NotImplementedError

    def keep(self, kind: str, purpose: Any, count: int) -> None:
        """Keep that they were taken out, and for what; never whom."""
        told = [f"purpose:{purpose.code}"]
        record_export(self.object, columns=told, row_count=count, kind=kind, by=self.user, now=self.now)
        log.info("export %s=%d user=%d rows=%d purpose=%s", kind, self.object.pk, self.user.pk, count, purpose.code)


class _Calls(_ReachPage):
    abstract = True
    form_class = PurposeForm
    channel = Channel.PHONE

    def get_title(self) -> str:
        return _("Call list of “%s”") % str(self.object)

    def make_file(self, asked: dict[str, Any]) -> HttpResponseBase:
        found = people_of(self.object, now=self.now)
        file, count = call_list(found, purpose=asked["purpose"], now=self.now)
        self.keep(Export.Kind.CALLS, asked["purpose"], count)
        name = file_name(self.object, now=self.now, suffix="csv", what="bellijst")
        return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


class SelectionCalls(SelectionAudience, _Calls):
    permission = "export_customers"


class ResultSetCalls(ResultSetAudience, _Calls):
    permission = "export_customers"


class _Addresses(_ReachPage):
    abstract = True
    form_class = AddressForm
    channel = Channel.POST

    def get_title(self) -> str:
        return _("Address labels of “%s”") % str(self.object)

    def parts(self, usable: int) -> list[dict[str, int]]:
        return parts_of(usable)

    def make_file(self, asked: dict[str, Any]) -> HttpResponseBase:
        given = self.request.POST.get("part", "1")
        part = int(given) if given.isdecimal() and 0 < len(given) < 6 else 1
        lines = addresses(
            people_of(self.object, now=self.now),
            purpose=asked["purpose"],
            one_per_household=asked["one_per_household"],
            part=max(part, 1),
            now=self.now,
        )
        pdf = print_address_labels(lines, skip=(asked["skip"] or 0) if part == 1 else 0)
        self.keep(Export.Kind.ADDRESSES, asked["purpose"], len(lines))
        response = HttpResponse(pdf, content_type="application/pdf")
        name = file_name(self.object, now=self.now, suffix="pdf", what=f"etiketten-{part}")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class SelectionAddresses(SelectionAudience, _Addresses):
    permission = "export_customers"


class ResultSetAddresses(ResultSetAudience, _Addresses):
    permission = "export_customers"


class SelectionToAction(SelectionAudience, FormPage[ToActionForm]):
    """Choose an action; its own page then shows what the gate says of the selection, and asks before it sends."""

    permission = "manage_campaigns"
    form_class = ToActionForm
    submit_label = gettext_lazy("See who would get it")

    def get_title(self) -> str:
        return _("Send an action to “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return self.above

    def perform(self, form: ToActionForm) -> str:
        run = reverse("workbench:action_run", args=[form.cleaned_data["action"].pk])
        return f"{run}?selection={self.object.pk}"


class SelectionToCampaign(SelectionAudience, FormPage[ToCampaignForm]):
    """Choose a campaign; its own page then shows how many are new, and asks before it lets them in."""

    permission = "manage_campaigns"
    form_class = ToCampaignForm
    submit_label = gettext_lazy("See how many")

    def get_title(self) -> str:
        return _("Enrol “%s” in a campaign") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return self.above

    def perform(self, form: ToCampaignForm) -> str:
        enrol = reverse("workbench:campaign_enrol", args=[form.cleaned_data["campaign"].pk])
        return f"{enrol}?selection={self.object.pk}"


urlpatterns = [
    path("selections/<int:pk>/label/", SelectionLabel.as_view(), name="selection_label"),
    path("selections/<int:pk>/take-out/", SelectionTakeOut.as_view(), name="selection_take_out"),
    path("selections/<int:pk>/export/", SelectionExport.as_view(), name="selection_export"),
    path("selections/<int:pk>/calls/", SelectionCalls.as_view(), name="selection_calls"),
    path("selections/<int:pk>/address-labels/", SelectionAddresses.as_view(), name="selection_addresses"),
    path("selections/<int:pk>/send/", SelectionToAction.as_view(), name="selection_send"),
    path("selections/<int:pk>/enrol/", SelectionToCampaign.as_view(), name="selection_enrol"),
    path("result-sets/<int:pk>/label/", ResultSetLabel.as_view(), name="result_set_label"),
    path("result-sets/<int:pk>/take-out/", ResultSetTakeOut.as_view(), name="result_set_take_out"),
    path("result-sets/<int:pk>/export/", ResultSetExport.as_view(), name="result_set_export"),
    path("result-sets/<int:pk>/calls/", ResultSetCalls.as_view(), name="result_set_calls"),
    path("result-sets/<int:pk>/address-labels/", ResultSetAddresses.as_view(), name="result_set_addresses"),
]
