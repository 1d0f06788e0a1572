"""Labels by rule: choosing what a label follows, seeing beforehand what that does, and working out its history."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from labels.actions import ask_backfill, draft_rule, drop_rule, set_rule, take_back
from labels.actions.backfills import gaps_of
from labels.models import Backfill, Label
from labels.rules.history import MOST_MONTHS, family_of
from labels.rules.preview import preview
from labels.tasks import follow_rule_now, key_by_hand, work_out_histories
from selections.explain import describe, describe_stored
from selections.models import Selection
from selections.rules import EVERYBODY, Group, RuleRefused
from workbench.base import ActionView, DetailPage, FormPage
from workbench.forms.labels import HistoryForm, RuleForm
from workbench.forms.selections import SelectionForm
from workbench.views.labels import LabelMixin, crumbs, done_just_now, page_of
from workbench.views.selection_builder import BuilderPage

DRAFT = "label_rule_{}"  # where the session keeps a rule that was made but not saved yet
SEEN_SECONDS = 3600  # how long what a preview showed may be saved


class RuleMixin(LabelMixin):
    """Own labels, the only ones that may follow a rule."""

    def get_queryset(self) -> QuerySet[Label]:
        return super().get_queryset().filter(kind=Label.Kind.OWN)


class LabelRule(RuleMixin, FormPage[RuleForm]):
    """Choose what the label follows: a saved selection here, or a rule of its own in the builder."""

    permission = "manage_labels"
    form_class = RuleForm
    template_name = "workbench/labels_rule.html"
    submit_label = gettext_lazy("See what it does")

    def get_title(self) -> str:
        return _("Whom does “%s” follow?") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_initial(self) -> dict[str, Any]:
        return {"selection": self.object.selection_id}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        words = describe_stored(self.object.rule_json) if self.object.rule_json else ""
        return super().get_context(object=self.object, rule_words=words, **extra)

    def perform(self, form: RuleForm) -> str:
        return (
            f"{reverse('workbench:label_preview', args=[self.object.pk])}?selection={form.cleaned_data['selection'].pk}"
        )


class LabelRuleBuild(RuleMixin, BuilderPage):
    """A rule of the label's own, made in the builder of selections; it is kept in the session until it is saved."""

    permission = "manage_labels"
    template_name = "workbench/labels_rule_build.html"
    submit_label = gettext_lazy("See what it does")

    def get_title(self) -> str:
        return _("A rule for “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        label = self.object
        return crumbs((str(label), page_of(label)), (_("Rule"), reverse("workbench:label_rule", args=[label.pk])))

    def starting_rule(self) -> Group:
        made = self.request.session.get(DRAFT.format(self.object.pk))
        known = made or self.object.rule_json
        return self.read(known) if known else EVERYBODY

    def get_initial(self) -> dict[str, Any]:
        return {"name": str(self.object)}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, **extra)

    def perform(self, form: SelectionForm) -> str:
        if not self.builder.is_valid():
            raise Refused("unfinished", _("Not every criterion is filled in. See the notes in the rule."))
        try:
            draft = draft_rule(self.object, rule=self.builder.to_rule(), now=self.now)
        except RuleRefused as refused:
            self._put_at_its_part(refused)
            raise Refused(refused.code, refused.problem) from refused
        self.request.session[DRAFT.format(self.object.pk)] = draft.rule
        return reverse("workbench:label_preview", args=[self.object.pk])


class LabelPreview(RuleMixin, DetailPage[Label]):
    """What a rule would do; only what was seen here can be saved."""

    permission = "manage_labels"
    template_name = "workbench/labels_preview.html"

    def get_title(self) -> str:
        return _("What the rule of “%s” does") % self.object

    def get_breadcrumb(self) -> list[Any]:
        label = self.object
        return crumbs((str(label), page_of(label)), (_("Rule"), reverse("workbench:label_rule", args=[label.pk])))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        draft = draft_rule(self.object, **self._asked, now=self.now)
        try:
            shown["seen"] = preview(draft, now=self.now)
        except Refused as refused:
            shown["problem"] = str(refused)
            shown["is_heavy"] = refused.code == "too_heavy"
        shown["token"] = signing.dumps([draft.pk, _mark(draft)], salt="label-rule")
        return super().get_context(
            sentence=describe(draft.rule_json or {}), selection=self._asked.get("selection"), **shown, **extra
        )

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Save the rule that was shown."""
        draft = draft_rule(self.object, **self._asked, now=self.now)
        try:
            seen = signing.loads(request.POST.get("token", ""), salt="label-rule", max_age=SEEN_SECONDS)
        except signing.BadSignature:
            seen = None
        if seen != [draft.pk, _mark(draft)]:
            message = _("The rule is not the one that was shown, or that is too long ago. Look again, then save.")
            raise Refused("not_seen", message)
        set_rule(self.object, **self._asked, by=self.user, now=self.now)
        request.session.pop(DRAFT.format(self.object.pk), None)
        messages.success(request, _("The label follows this rule from now on."))
        return self.go(page_of(self.object))

    @cached_property
    def _asked(self) -> dict[str, Any]:
        """Return the selection in the address, the rule that was made in the builder, or what it follows already."""
        pk = self.request.GET.get("selection", "")
        if pk:
            found = Selection.objects.filter(pk=int(pk)) if pk.isascii() and pk.isdigit() and len(pk) < 10 else None
            return {"selection": get_object_or_404(found if found is not None else Selection.objects.none())}
        if rule := self.request.session.get(DRAFT.format(self.object.pk)):
            return {"rule": rule}
        known = self.get_queryset().filter(pk=self.object.pk).by_rule().first()  # type: ignore[attr-defined]
        if known is None:
            raise Refused("no_rule", _("Choose a selection, or make a rule."))
        return {"selection": known.selection} if known.selection else {"rule": known.rule}


class LabelFollowNow(RuleMixin, ActionView):
    """Have the label brought in line with its rule by a worker, before the night; at most once a minute."""

    permission = "manage_labels"

    def perform(self) -> str:
        if run := self.object.rule_runs.filter(due_key=key_by_hand(self.now)).first():
            messages.info(self.request, done_just_now(run.at))
        else:
            follow_rule_now.delay_on_commit(self.object.pk)  # type: ignore[attr-defined]
            words = _("The label is being brought in line with its rule. Look again in a moment.")
            messages.success(self.request, words)
        return page_of(self.object)


class LabelRuleDrop(RuleMixin, ActionView):
    """Let the label follow no rule any more."""

    permission = "manage_labels"
    success_message = gettext_lazy("The label follows no rule any more. Who has it, keeps it.")

    def perform(self) -> str:
        drop_rule(self.object, by=self.user)
        return page_of(self.object)


class LabelHistory(LabelMixin, FormPage[HistoryForm]):
    """Have the history of a label worked out, see how far that is, and take it back."""

    permission = "manage_labels"
    form_class = HistoryForm
    template_name = "workbench/labels_history.html"
    partial_name = "workbench/_labels_backfills.html"
    submit_label = gettext_lazy("Work out the history")
    success_message = gettext_lazy("The history is being worked out. You see here how far it is.")

    def get_title(self) -> str:
        return _("History of “%s”, worked out afterwards") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        label, family = self.object, family_of(self.object)
        asked = Backfill.objects.select_related("asked_by", "undone_by")
        mine = asked.filter(family=family.code) if family else asked.filter(label=label)
        form = extra.get("form")
        day = (
            form.cleaned_data.get("first_day")
            if isinstance(form, forms.Form) and form.is_bound and form.is_valid()
            else None
        )
        try:
            gaps = gaps_of(label, first_day=day or self.now.date(), now=self.now) if family or label.is_by_rule else []
        except Refused as refused:
            gaps = [_("This rule can no longer be read: %s") % refused]
        busy = any(one.state in (Backfill.State.WAITING, Backfill.State.RUNNING) for one in mine)
        return super().get_context(
            object=label, family=family, backfills=mine, gaps=gaps, is_busy=busy, most_months=MOST_MONTHS, **extra
        )

    def perform(self, form: HistoryForm) -> str:
        ask_backfill(self.object, **form.cleaned_data, by=self.user, now=self.now)
        work_out_histories.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:label_history", args=[self.object.pk])


class LabelHistoryUndo(LabelMixin, ActionView):
    """Take a worked-out history back, or stop one that is busy."""

    permission = "manage_labels"
    success_message = gettext_lazy("The worked-out history has been taken back.")

    def perform(self) -> str:
        family = family_of(self.object)
        mine = Backfill.objects.filter(family=family.code) if family else Backfill.objects.filter(label=self.object)
        take_back(get_object_or_404(mine, pk=self.kwargs["backfill"]), by=self.user, now=self.now)
        return reverse("workbench:label_history", args=[self.object.pk])


def _mark(label: Label) -> str:
    """Return a mark of the rule that a label has in memory: another rule, another mark."""
    told = json.dumps([label.selection_id, label.rule_json], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


urlpatterns = [
    path("labels/<int:pk>/rule/", LabelRule.as_view(), name="label_rule"),
    path("labels/<int:pk>/rule/build/", LabelRuleBuild.as_view(), name="label_rule_build"),
    path("labels/<int:pk>/rule/preview/", LabelPreview.as_view(), name="label_preview"),
    path("labels/<int:pk>/rule/now/", LabelFollowNow.as_view(), name="label_follow"),
    path("labels/<int:pk>/rule/drop/", LabelRuleDrop.as_view(), name="label_rule_drop"),
    path("labels/<int:pk>/history/", LabelHistory.as_view(), name="label_history"),
    path("labels/<int:pk>/history/<int:backfill>/undo/", LabelHistoryUndo.as_view(), name="label_history_undo"),
]
