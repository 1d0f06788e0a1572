"""Tests of versions: set up, looked at while they run, decided."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from campaigns.models import Action
from mailings import actions
from mailings.checks import check_content
from mailings.experiments.arms import content_of
from mailings.experiments.previewing import preview_arm
from mailings.models import Arm, Experiment, Mailing
from mailings.previewing import Preview
from mailings.tasks import decide_experiments, send_queued
from newsletter.actions import write_content
from newsletter.models import Edition
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.experiments import Told
from workbench.findings import show
from workbench.forms.experiments import ArmForm, ExperimentForm
from workbench.forms.previews import RecipientsForm
from workbench.tables.experiments import ExperimentTable
from workbench.views.content.base import Contents
from workbench.views.content.previews import FRAME_POLICY, TESTS_SHOWN, chosen_colleagues, tell_of_tests


def list_crumb() -> list[Any]:
    return [(_("A/B tests"), reverse("workbench:experiment_list"))]


def page_of(experiment: Experiment) -> str:
    return reverse("workbench:experiment_detail", args=[experiment.pk])


class _Experiments(ObjectMixin[Experiment]):
    def get_queryset(self) -> QuerySet[Experiment]:
        found = Experiment.objects.select_related("content", "mailing__purpose", "winner", "decided_by")
        return found.select_related("content__action__purpose", "content__edition__newsletter__purpose")

    def get_breadcrumb(self) -> list[Any]:
        return [*list_crumb(), (str(self.object), page_of(self.object))]


class _Arms(ObjectMixin[Arm]):
    def get_queryset(self) -> QuerySet[Arm]:
        return Arm.objects.select_related("content", "experiment__content", "experiment__mailing__purpose")

    @property
    def page_url(self) -> str:
        return page_of(self.object.experiment)

    def get_breadcrumb(self) -> list[Any]:
        return [*list_crumb(), (str(self.object.experiment), self.page_url)]

    def get_title(self) -> str:
        return gettext("Version %s") % self.object.letter


def surroundings(experiment: Experiment) -> Contents:
    """The content under test with what it belongs to."""
    whole = Contents()
    whole.object = experiment.content
    return whole


class ExperimentList(ListPage):
    permission = "manage_mailings"
    page_title = _("A/B tests")
    lead = _("A part of the readers gets one of several versions; the best one goes to the rest.")
    table_class = ExperimentTable
    empty_icon = "flask-conical"
    empty_title = _("No tests yet")
    empty_text = _("Set one up on the page of an action, or of an edition of a newsletter.")

    def get_queryset(self) -> QuerySet[Experiment]:
        return Experiment.objects.select_related("content", "mailing", "winner")


class ExperimentPage(_Experiments, DetailPage[Experiment]):
    permission = "manage_mailings"
    template_name = "workbench/experiments_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return list_crumb()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        experiment = self.object
        home = surroundings(experiment)
        is_planned = experiment.mailing is None
        return super().get_context(
            told=Told(experiment, now=self.now),
            home=home.owner,
            is_planned=is_planned,
            found=self.findings(home) if is_planned else [],
            history=changes_of(experiment),
            **extra,
        )

    def findings(self, home: Contents) -> list[Any]:
        """What the checks say of each version: (version, findings), of those with any."""
        channels = home.object.action.channels if hasattr(home.object, "action") else Mailing.Channels.EMAIL
        shown = [
            (arm, show(check_content(content_of(arm), purpose=home.purpose, channels=channels, now=self.now),
                       arm.content or self.object.content))
            for arm in self.object.versions
        ]  # fmt: skip
        return [(arm, found) for arm, found in shown if found.shown_before_sending]


class ActionTest(ObjectMixin[Action], ActionView):
    permission = "manage_mailings"

    def get_queryset(self) -> QuerySet[Action]:
        return Action.objects.in_use().select_related("content")

    def perform(self) -> str:
        return page_of(actions.plan_experiment(self.object.content, by=self.user, now=self.now))


class EditionTest(ObjectMixin[Edition], ActionView):
    """The items are written into the content, of which versions can then be made."""

    permission = "manage_mailings"

    def get_queryset(self) -> QuerySet[Edition]:
        return Edition.objects.exclude(state=Edition.State.SENT).select_related("newsletter", "content")

    def perform(self) -> str:
        content = write_content(self.object, by=self.user, now=self.now)
        return page_of(actions.plan_experiment(content, by=self.user, now=self.now))


class ExperimentChange(_Experiments, FormPage[ExperimentForm]):
    permission = "manage_mailings"
    template_name = "workbench/experiments_form.html"
    form_class = ExperimentForm
    page_title = _("What counts, and when it is decided")
    submit_label = _("Save")
    success_message = _("The test has been changed.")

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ExperimentForm.base_fields}

    def perform(self, form: ExperimentForm) -> str:
        actions.change_experiment(self.object, **form.cleaned_data, by=self.user)
        return page_of(self.object)


class ExperimentRemove(_Experiments, ActionView):
    permission = "manage_mailings"
    success_message = _("The test has been removed; the message goes out as it is.")

    def perform(self) -> str:
        home = surroundings(self.object).owner
        actions.remove_experiment(self.object, by=self.user)
        return home[1] if home else reverse("workbench:experiment_list")


class ArmAdd(_Experiments, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        arm = actions.add_arm(self.object, by=self.user)
        return reverse("workbench:arm_change", args=[arm.pk])


class ArmChange(_Arms, FormPage[ArmForm]):
    permission = "manage_mailings"
    form_class = ArmForm
    submit_label = _("Save")
    success_message = _("The version has been changed.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"arm": self.object}

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ArmForm.base_fields}

    def perform(self, form: ArmForm) -> str:
        actions.change_arm(self.object, **form.cleaned_data, by=self.user)
        return self.page_url


class ArmRemove(_Arms, ActionView):
    permission = "manage_mailings"
    success_message = _("The version has been removed.")

    def perform(self) -> str:
        actions.remove_arm(self.object, by=self.user)
        return self.page_url


class ArmWrite(_Arms, ActionView):
    permission = "manage_mailings"
    success_message = _("This is a copy of the message. What you change here is only for this version.")

    def perform(self) -> str:
        content = actions.write_arm(self.object, by=self.user, now=self.now)
        return reverse("workbench:content", args=[content.pk])


class ArmUnwrite(_Arms, ActionView):
    permission = "manage_mailings"
    success_message = _("This version says what the message says again.")

    def perform(self) -> str:
        actions.unwrite_arm(self.object, by=self.user)
        return self.page_url


class ArmChoose(_Arms, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        chosen = actions.decide_experiment(self.object.experiment, winner=self.object, by=self.user, now=self.now)
        self.success_message = gettext("The rest gets version %s.") % chosen.letter
        decide_experiments.delay_on_commit()  # type: ignore[attr-defined]
        send_queued.delay_on_commit()  # type: ignore[attr-defined]
        return self.page_url


class _Previews(_Arms):
    @cached_property
    def preview(self) -> Preview:
        experiment = self.object.experiment
        purpose = experiment.mailing.purpose if experiment.mailing else surroundings(experiment).purpose
        return preview_arm(self.object, purpose=purpose, now=self.now)  # type: ignore[attr-defined]


class ArmPreview(_Previews, DetailPage[Arm]):
    permission = "manage_mailings"
    template_name = "workbench/experiments_preview.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        others = [
            {"label": gettext("Version %s") % one.letter, "url": reverse("workbench:arm_preview", args=[one.pk]),
             "active": one.pk == self.object.pk}
            for one in self.object.experiment.versions
        ]  # fmt: skip
        identity = self.preview.identity
        sender = self.object.sender_name or identity.sender_name or identity.organisation
        content = self.object.content or self.object.experiment.content
        tests = content.tests.filter(arm=self.object).select_related("recipient", "sent_by").order_by("-sent_at", "-pk")
        return super().get_context(
            preview=self.preview,
            sender=sender,
            tabs=others,
            is_sent=self.object.experiment.mailing_id is not None,
            recipients=RecipientsForm(initial={"recipients": [self.user.pk]}),
            tests=tests[:TESTS_SHOWN],
            **extra,
        )


class ArmFrame(_Previews, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview.html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


class ArmTest(_Arms, ActionView):
    """Send this version to colleagues, or to oneself when none is chosen."""

    permission = "manage_mailings"

    def perform(self) -> str:
        experiment = self.object.experiment
        purpose = experiment.mailing.purpose if experiment.mailing else surroundings(experiment).purpose
        content = self.object.content or experiment.content
        people = chosen_colleagues(self.request)
        told = actions.send_tests(
            content, recipients=people, purpose=purpose, arm=self.object, by=self.user, now=self.now
        )
        tell_of_tests(self.request, told)
        return reverse("workbench:arm_preview", args=[self.object.pk])


urlpatterns = [
    path("experiments/", ExperimentList.as_view(), name="experiment_list"),
    path("experiments/<int:pk>/", ExperimentPage.as_view(), name="experiment_detail"),
    path("experiments/<int:pk>/change/", ExperimentChange.as_view(), name="experiment_change"),
    path("experiments/<int:pk>/remove/", ExperimentRemove.as_view(), name="experiment_remove"),
    path("experiments/<int:pk>/versions/add/", ArmAdd.as_view(), name="arm_add"),
    path("experiments/versions/<int:pk>/", ArmChange.as_view(), name="arm_change"),
    path("experiments/versions/<int:pk>/remove/", ArmRemove.as_view(), name="arm_remove"),
    path("experiments/versions/<int:pk>/write/", ArmWrite.as_view(), name="arm_write"),
    path("experiments/versions/<int:pk>/unwrite/", ArmUnwrite.as_view(), name="arm_unwrite"),
    path("experiments/versions/<int:pk>/choose/", ArmChoose.as_view(), name="arm_choose"),
    path("experiments/versions/<int:pk>/preview/", ArmPreview.as_view(), name="arm_preview"),
    path(
        "experiments/versions/<int:pk>/preview/frame/",
        xframe_options_sameorigin(ArmFrame.as_view()),
        name="arm_frame",
    ),
    path("experiments/versions/<int:pk>/send-test/", ArmTest.as_view(), name="arm_test"),
    path("actions/<int:pk>/test/", ActionTest.as_view(), name="action_test"),
    path("editions/<int:pk>/test/", EditionTest.as_view(), name="edition_test"),
]
