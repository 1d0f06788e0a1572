"""Purposes: what customers are reached for, on what ground, with which words; and whether the ledger is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.actions import purposes as actions
from customers.consents import PROCESSING
from customers.models import Channel, Consent, LedgerCheck, Purpose, PurposeChannel, Wording
from customers.tasks import check_ledger_nightly
from newsletter.models import Newsletter
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin, TemplatePage
from workbench.changes import Moment, changes_of
from workbench.forms.purposes import ChannelForm, NewPurposeForm, PurposeForm, WordingForm

Basis = PurposeChannel.Basis
CONDITIONS = ("same_entity", "was_informed", "could_refuse", "own_similar")
NAMED = 20


@dataclass(frozen=True)
class Row:
    """A channel of a purpose as shown; ``row`` is None when nobody set it, which means: with a yes only."""

    channel: Channel
    row: PurposeChannel | None
    is_settable: bool

    @property
    def basis(self) -> Basis:
        return Basis(self.row.basis) if self.row else Basis.CONSENT

    @property
    def is_unconfirmed(self) -> bool:
        return self.row is not None and self.basis == Basis.RELATION and not self.row.is_confirmed

    @property
    def tone(self) -> str:
        tones = {Basis.NONE: "neutral", Basis.CONSENT: "info"}
        return "warning" if self.is_unconfirmed else tones.get(self.basis, "success")

    @property
    def conditions(self) -> list[tuple[str, bool]]:
        """The five conditions of the customer relation; the first is looked up per customer."""
        if self.row is None or self.basis != Basis.RELATION:
            return []
        fields = {field.name: field.verbose_name for field in PurposeChannel._meta.fields}
        own = [(str(fields[name]), getattr(self.row, name)) for name in CONDITIONS]
        pays = gettext("they have a payment obligation (looked up for each customer: a paid subscription)")
        return [(pays, True), *own]


def rows_of(purpose: Purpose) -> list[Row]:
    known = {one.channel: one for one in purpose.channels.all()}
    rows = [
        Row(channel, known.get(channel.value), actions.bases_for(purpose, channel) != (Basis.NONE,))
        for channel in Channel
    ]
    return [row for row in rows if row.is_settable or row.row]


def crumbs(purpose: Purpose | None = None) -> list[Any]:
    above: list[Any] = [(_("Purposes and consents"), reverse("workbench:purpose_list"))]
    return [*above, (purpose.name, address_of(purpose))] if purpose else above


def address_of(purpose: Purpose) -> str:
    return reverse("workbench:purpose_detail", args=[purpose.pk])


class PurposeMixin(ObjectMixin[Purpose]):
    def get_queryset(self) -> QuerySet[Purpose]:
        return Purpose.objects.prefetch_related("channels")


class PurposeList(TemplatePage):
    permission = "manage_users"
    template_name = "workbench/purposes_list.html"
    page_title = _("Purposes and consents")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = Prefetch("wordings", Wording.objects.current(now=self.now), to_attr="current")
        purposes = Purpose.objects.prefetch_related("channels", current).order_by("rule", "name")
        rows = [(purpose, [row for row in rows_of(purpose) if row.row]) for purpose in purposes]
        check = LedgerCheck.objects.filter(finished_at__isnull=False).first()
        return super().get_context(
            rows=rows,
            unconfirmed=[purpose for purpose, channels in rows if any(row.is_unconfirmed for row in channels)],
            check=check,
            named=check.broken[:NAMED] if check else [],
            **extra,
        )


class PurposeAdd(FormPage[NewPurposeForm]):
    permission = "manage_users"
    form_class = NewPurposeForm
    page_title = _("Add purpose")
    submit_label = _("Add purpose")
    success_message = _("The purpose has been added. Look below whether its grounds are right.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def perform(self, form: NewPurposeForm) -> str:
        fields = {**form.cleaned_data, "code": slugify(form.cleaned_data["code"])}
        return address_of(actions.create_purpose(**fields, by=self.user))


class PurposePage(PurposeMixin, DetailPage[Purpose]):
    permission = "manage_users"
    template_name = "workbench/purposes_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        purpose = self.object
        used = Consent.objects.filter(purpose=purpose).exclude(state=Consent.State.RETRACTED)
        answered = dict(used.order_by().values_list("wording_version").annotate(Count("pk")))
        wordings = [(one, answered.pop(one.version, 0)) for one in purpose.wordings.all()]
        newsletter = Newsletter.objects.filter(purpose=purpose, is_active=True).first()
        sign_up = reverse("mijnmenu:sign_up", args=[purpose.code]) if newsletter else ""
        return super().get_context(
            channels=rows_of(purpose),
            wordings=wordings,
            unknown_versions=sorted(version for version in answered if version),
            is_processing=purpose.code in PROCESSING,
            sign_up_url=f"{settings.BASE_URL}{sign_up}" if sign_up else "",
            history=self.history(),
            **extra,
        )

    def history(self) -> list[Moment]:
        moments = changes_of(self.object)
        for channel in self.object.channels.all():
            name = channel.get_channel_display()
            moments += [Moment(m.icon, f"{name}: {m.title}", m.when, m.who, m.text) for m in changes_of(channel)]
        return sorted(moments, key=lambda moment: moment.when, reverse=True)[:NAMED]


class PurposeChange(PurposeMixin, FormPage[PurposeForm]):
    permission = "manage_users"
    form_class = PurposeForm
    submit_label = _("Save")
    success_message = _("The purpose has been changed.")

    def get_title(self) -> str:
        return gettext("Change “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ("name", "description", "is_public")}

    def perform(self, form: PurposeForm) -> str:
        return address_of(actions.change_purpose(self.object, **form.cleaned_data, by=self.user))


class ChannelChange(PurposeMixin, FormPage[ChannelForm]):
    permission = "manage_users"
    template_name = "workbench/purposes_channel.html"
    form_class = ChannelForm
    submit_label = _("Save")
    success_message = _("Saved. It holds from now on, for mailings that are under way too.")

    @cached_property
    def channel(self) -> Channel:
        wanted = self.kwargs["channel"]
        if wanted not in Channel.values or actions.bases_for(self.object, wanted) == (Basis.NONE,):
            raise Http404
        return Channel(wanted)

    @cached_property
    def row(self) -> PurposeChannel | None:
        return self.object.channels.filter(channel=self.channel).first()

    def get_title(self) -> str:
        return f"{self.object.name}: {self.channel.label}"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_form_kwargs(self) -> dict[str, Any]:
        bases = actions.bases_for(self.object, self.channel)
        return {"bases": bases, "is_email": self.channel == Channel.EMAIL and self.object.code not in PROCESSING}

    def get_initial(self) -> dict[str, Any]:
        row = self.row or PurposeChannel(basis=Basis.CONSENT)
        return {name: getattr(row, name) for name in ("basis", *CONDITIONS, "needs_double_opt_in")}

    def perform(self, form: ChannelForm) -> str:
        actions.change_channel(self.object, self.channel, by=self.user, now=self.now, **form.cleaned_data)
        return address_of(self.object)


class WordingAdd(PurposeMixin, FormPage[WordingForm]):
    permission = "manage_users"
    form_class = WordingForm
    page_title = _("Add wording")
    submit_label = _("Save")
    success_message = _("The wording has been saved.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_initial(self) -> dict[str, Any]:
        known = Wording.objects.filter(purpose=self.object, version=self.request.GET.get("version", "")).first()
        if known:
            return {"version": known.version, "text": known.text, "valid_from": known.valid_from}
        return {"valid_from": self.now}

    def perform(self, form: WordingForm) -> str:
        actions.save_wording(self.object, **form.cleaned_data, by=self.user)
        return address_of(self.object)


class LedgerCheckNow(ActionView):
    permission = "manage_users"
    success_message = _("The ledger is being checked. Look again in a minute.")

    def perform(self) -> str:
        transaction.on_commit(check_ledger_nightly.delay, robust=True)
        return reverse("workbench:purpose_list")


urlpatterns = [
    path("purposes/", PurposeList.as_view(), name="purpose_list"),
    path("purposes/add/", PurposeAdd.as_view(), name="purpose_add"),
    path("purposes/check/", LedgerCheckNow.as_view(), name="ledger_check"),
    path("purposes/<int:pk>/", PurposePage.as_view(), name="purpose_detail"),
    path("purposes/<int:pk>/change/", PurposeChange.as_view(), name="purpose_change"),
    path("purposes/<int:pk>/wordings/add/", WordingAdd.as_view(), name="wording_add"),
    path("purposes/<int:pk>/<slug:channel>/", ChannelChange.as_view(), name="purpose_channel"),
]
