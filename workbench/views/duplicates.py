"""Possible duplicates: who may be one person, side by side, and what is decided about them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from customers.actions.matching import change_match_settings, decide_pair, reopen_pair
from customers.models import Customer, MatchPair, MatchSettings
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin
from workbench.changes import changes_of
from workbench.comparison import brings, compare, in_words
from workbench.filters.duplicates import PairFilter
from workbench.forms.merges import MatchSettingsForm
from workbench.tables.duplicates import PairTable


def next_url(after: MatchPair | None = None) -> str:
    """Return the page of the likeliest pair that waits, behind ``after`` when given; else the list."""
    waiting = MatchPair.objects.waiting()
    if after:
        waiting = waiting.filter(Q(score=after.score, pk__gt=after.pk) | Q(score__lt=after.score))
    found = waiting.first()
    return reverse("workbench:duplicate_detail", args=[found.pk]) if found else reverse("workbench:duplicate_list")


class PairList(ListPage):
    permission = "change_customers"
    template_name = "workbench/duplicates_list.html"
    page_title = _("Duplicates")
    lead = _("Customers who may be one and the same person. You decide; the likeliest stand on top.")
    table_class = PairTable
    filterset_class = PairFilter
    empty_icon = "users"
    empty_title = _("No possible duplicates")
    empty_text = _("Every night and after each import we look again.")

    def get_queryset(self) -> QuerySet[MatchPair]:
        return MatchPair.objects.standing().select_related("first", "second")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(first_url=next_url(), **extra)


class PairMixin(ObjectMixin[MatchPair]):
    def get_queryset(self) -> QuerySet[MatchPair]:
        return MatchPair.objects.standing().select_related("first", "second")


class PairDetail(PairMixin, DetailPage[MatchPair]):
    permission = "change_customers"
    template_name = "workbench/duplicates_detail.html"
    page_title = _("Are they the same person?")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Duplicates"), reverse("workbench:duplicate_list"))]

    @cached_property
    def both(self) -> tuple[Customer, Customer]:
        found = Customer.everyone.with_contact_values().select_related("branch", "source")
        people = found.in_bulk([self.object.first_id, self.object.second_id])
        # As the nightly run chooses: members go before others, then whom we have known longest.
        first, second = sorted(
            people.values(), key=lambda one: (one.kind != Customer.Kind.MEMBER, one.created_at, one.pk)
        )
        return first, second

    def get_context(self, **extra: Any) -> dict[str, Any]:
        pair, both = self.object, self.both
        return super().get_context(
            first=both[0],
            second=both[1],
            rows=compare(*both),
            brings=brings(*both),
            points=pair.score,
            reasons=in_words(pair.reasons),
            is_open=pair.state == MatchPair.State.OPEN,
            decide_url=reverse("workbench:duplicate_decide", args=[pair.pk]),
            next_url=next_url(pair),
            waiting=MatchPair.objects.waiting().count(),
            **extra,
        )


class PairDecide(PairMixin, ActionView):
    """``decision``: "different", or the id of who is kept. Goes on to the next pair."""

    permission = "change_customers"

    def perform(self) -> str:
        decision, pair = self.request.POST.get("decision", ""), self.object
        onward = next_url(pair)
        if decision == "different":
            decide_pair(pair, is_same=False, by=self.user, now=self.now)
            messages.success(self.request, gettext("Remembered: these are two persons."))
            return onward
        kept = next((one for one in (pair.first, pair.second) if str(one.pk) == decision), None)
        if kept is None:
            raise Refused("not_of_pair", gettext("Choose one of the two."))
        merge = decide_pair(pair, is_same=True, kept=kept, by=self.user, now=self.now)
        if merge:
            words = gettext("Merged: %(absorbed)s is now part of %(kept)s. You can undo this under Merges.")
            messages.success(self.request, words % {"absorbed": merge.absorbed.number, "kept": kept.number})
        return onward


class PairReopen(PairMixin, ActionView):
    permission = "change_customers"
    success_message = _("These two wait for a judgement again.")

    def perform(self) -> str:
        reopen_pair(self.object, by=self.user)
        return reverse("workbench:duplicate_detail", args=[self.object.pk])


class MatchSettingsPage(FormPage[MatchSettingsForm]):
    permission = "manage_users"
    template_name = "workbench/duplicates_settings.html"
    form_class = MatchSettingsForm
    page_title = _("When are two customers the same?")
    submit_label = _("Save")
    success_message = _("Saved. It holds from the next comparison on.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Duplicates"), reverse("workbench:duplicate_list"))]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"instance": MatchSettings.load()}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = MatchSettings.objects.filter(pk=1).first()
        return super().get_context(history=changes_of(current) if current else [], **extra)

    def perform(self, form: MatchSettingsForm) -> str:
        change_match_settings(by=self.user, **form.cleaned_data)
        return reverse("workbench:duplicate_list")


urlpatterns = [
    path("duplicates/", PairList.as_view(), name="duplicate_list"),
    path("duplicates/settings/", MatchSettingsPage.as_view(), name="match_settings"),
    path("duplicates/<int:pk>/", PairDetail.as_view(), name="duplicate_detail"),
    path("duplicates/<int:pk>/decide/", PairDecide.as_view(), name="duplicate_decide"),
    path("duplicates/<int:pk>/reopen/", PairReopen.as_view(), name="duplicate_reopen"),
]
