"""Groups of labels: making and changing them, and the order of the labels inside one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from labels.actions import change_group, create_group, delete_group, order_labels
from labels.models import Assignment, Label, LabelGroup
from workbench.base import ActionView, FormPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.forms.labels import ChangeGroupForm, GroupForm, own_groups
from workbench.views.labels import crumbs, used_by


class GroupMixin(ObjectMixin[LabelGroup]):
    """Groups of own labels."""

    def get_queryset(self) -> QuerySet[LabelGroup]:
        found: QuerySet[LabelGroup] = own_groups()
        return found


class GroupCreate(FormPage[GroupForm]):
    permission = "manage_labels"
    form_class = GroupForm
    page_title = gettext_lazy("New label group")
    submit_label = gettext_lazy("Make group")
    success_message = gettext_lazy("The group has been made.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_cancel_url(self) -> str:
        return reverse("workbench:label_list")

    def perform(self, form: GroupForm) -> str:
        group = create_group(**form.cleaned_data, by=self.user)
        return reverse("workbench:label_group_change", args=[group.pk])


class GroupChange(GroupMixin, FormPage[ChangeGroupForm]):
    """A group with its labels in their order."""

    permission = "manage_labels"
    form_class = ChangeGroupForm
    template_name = "workbench/labels_group.html"
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The group has been changed.")
    #: What would miss the group, or one of its labels, when it is put out of use.
    hit: Sequence[dict[str, Any]] = ()

    def get_title(self) -> str:
        return _("Change group “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ChangeGroupForm.base_fields if name != "anyway"}

    def get_cancel_url(self) -> str:
        return reverse("workbench:label_list")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        labels = list(self.object.labels.order_by("rank", "name", "version"))
        holders = Assignment.objects.holders(labels)
        return super().get_context(
            object=self.object,
            labels=[(label, holders[label.pk]) for label in labels],
            uses=used_by_rules(self.object),
            hit=self.hit,
            history=changes_of(self.object),
            order_url=reverse("workbench:label_group_order", args=[self.object.pk]),
            **extra,
        )

    def perform(self, form: ChangeGroupForm) -> str:
        told = dict(form.cleaned_data)
        is_sure = told.pop("anyway")
        if self.object.is_active and not told["is_active"] and not is_sure:
            self._ask_if_used(form)
        change_group(self.object, **told, by=self.user)
        return reverse("workbench:label_group_change", args=[self.object.pk])

    def _ask_if_used(self, form: ChangeGroupForm) -> None:
        """Refuse to put the group out of use until somebody saw what uses it, and says to do it nevertheless."""
        self.hit = [*used_by_rules(self.object), *used_by_labels(self.object)]
        if self.hit:
            form.fields["anyway"].widget = forms.CheckboxInput()
            message = _("This group is still used; above you see where. Tick that you put it out of use nevertheless.")
            raise Refused("in_use", message, field="anyway")


class GroupOrder(GroupMixin, WorkbenchView):
    """The order of the labels, from low to high, as the page sends it after every move."""

    permission = "manage_labels"
    http_method_names = ["post"]

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        codes = dict(self.object.labels.values_list("pk", "code"))
        sent = [int(pk) for pk in request.POST.getlist("order") if pk.isascii() and pk.isdigit()]
        order_labels(self.object, [codes.get(pk, "") for pk in sent], by=self.user)
        return HttpResponse(status=204)


class GroupDelete(GroupMixin, ActionView):
    permission = "manage_labels"
    success_message = gettext_lazy("The group has been deleted.")

    def perform(self) -> str:
        delete_group(self.object, by=self.user)
        return reverse("workbench:label_list")


def used_by_rules(group: LabelGroup) -> list[dict[str, Any]]:
    """Return what asks for the group itself; its own labels are no use of it."""
    own = set(group.labels.values_list("pk", flat=True))
    return [one for one in used_by(group) if not isinstance(one["use"].thing, Label) or one["use"].thing.pk not in own]


def used_by_labels(group: LabelGroup) -> list[dict[str, Any]]:
    """Return what uses one of the labels of a group, each once, with the label; own rules of its labels are none."""
    labels = list(group.labels.order_by("rank", "name"))
    found: dict[tuple[str, Any], dict[str, Any]] = {}
    for label in labels:
        for one in used_by(label):
            thing = one["use"].thing
            if thing not in labels:
                found.setdefault((thing._meta.label, thing.pk), {**one, "label": label})
    return list(found.values())


urlpatterns = [
    path("labels/groups/new/", GroupCreate.as_view(), name="label_group_create"),
    path("labels/groups/<int:pk>/", GroupChange.as_view(), name="label_group_change"),
    path("labels/groups/<int:pk>/order/", GroupOrder.as_view(), name="label_group_order"),
    path("labels/groups/<int:pk>/delete/", GroupDelete.as_view(), name="label_group_delete"),
]
