"""Labels over the API: making and changing own labels and groups, who has them or had them, giving and taking."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged, user_of
from common.errors import Refused
from common.time import clock, end_of_day
from customers.models import Customer
from labels.actions import (
    change_group,
    change_label,
    create_group,
    create_label,
    customers_of,
    delete_group,
    delete_label,
    end_labels,
    give_label,
    order_labels,
    take_label,
)
from labels.actions.giving import MOST_NUMBERS
from labels.models import Assignment, Label, LabelGroup
from selections.comparing import part_rule
from selections.compiler import compile_rule
from selections.models import ResultSet, Selection

ON = OpenApiParameter("on", OpenApiTypes.DATE, description="As it was at the end of this day; today when left out")


class LabelSerializer(serializers.ModelSerializer[Label]):
    """A label; ``by_rule`` tells whether it follows a rule, see ``/labels/{code}/rule/``."""

    group = by_code(LabelGroup.objects.all(), required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=[(k.value, k.label) for k in Label.Kind], required=False)
    code = serializers.SlugField(max_length=60, required=False)
    by_rule = serializers.BooleanField(source="is_by_rule", read_only=True)

    class Meta:
        model = Label
        fields = [
            "code", "name", "description", "kind", "group", "rank", "version", "colour", "is_active", "valid_from",
            "valid_until", "max_age_days", "by_rule",
        ]  # fmt: skip
        read_only_fields = ["rank", "version"]


class GroupSerializer(serializers.ModelSerializer[LabelGroup]):
    """A group; ``labels`` are the codes of its labels from low to high."""

    code = serializers.SlugField(max_length=40, required=False)
    labels = serializers.SerializerMethodField()

    class Meta:
        model = LabelGroup
        fields = ["code", "name", "description", "colour", "is_exclusive", "is_active", "labels"]

    def get_labels(self, group: LabelGroup) -> list[str]:
        return [label.code for label in sorted(group.labels.all(), key=lambda one: (one.rank, one.name))]


class MemberSerializer(serializers.Serializer[Any]):
    """A customer by his number; fetch the rest from ``/customers/{number}/``."""

    number = serializers.CharField()


class NumbersSerializer(serializers.Serializer[Any]):
    """Whom to give a label to or take it from: customers by their numbers, all of them or none; or everybody in a
    selection at this moment, or in a result set. One of the three.
    """

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_NUMBERS, required=False
    )
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.all(), required=False)
    result_set = serializers.PrimaryKeyRelatedField(queryset=ResultSet.objects.all(), required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class ChangedSerializer(serializers.Serializer[Any]):
    """How many customers got the label who did not have it, or lost it who had it."""

    changed = serializers.IntegerField()


class CodesSerializer(serializers.Serializer[Any]):
    """All labels of the group, from low to high."""

    labels = serializers.ListField(child=serializers.SlugField(max_length=60))


class IntervalSerializer(serializers.ModelSerializer[Assignment]):
    """One interval in which a customer had a label; ``until`` is null while he has it."""

    label = by_code()
    number = serializers.CharField(source="customer.number")
    given_how = serializers.CharField(source="how_given")
    taken_how = serializers.CharField(source="how_taken")

    class Meta:
        model = Assignment
        fields = [
            "label", "number", "since", "until", "given_how", "given_by", "given_through", "reason", "taken_how",
            "taken_by", "taken_through", "taken_reason",
        ]  # fmt: skip


class LabelViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    queryset = Label.objects.select_related("group", "selection").order_by("code")
    serializer_class = LabelSerializer
    filterset_fields = ["kind", "group__code", "version", "is_active"]
    lookup_field = "code"

    def create(self, request: Request) -> Response:
        """Make an own label, or one that customers choose (``kind``: own or customer)."""
        sent = LabelSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        wish = {"kind": Label.Kind.OWN.value, **sent.validated_data}
        is_active = wish.pop("is_active", True)
        with transaction.atomic():
            label = create_label(**wish, by=user_of(request), now=clock())
            if not is_active:
                change_label(label, is_active=False, by=user_of(request))
        return Response(LabelSerializer(label).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, code: str) -> Response:
        """Change what is given; code and kind stay as they are. Who has it outside of its days loses it at once."""
        label = self.get_object()
        sent = LabelSerializer(label, data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        wish = dict(sent.validated_data)
        for name in ("code", "kind"):
            if wish.pop(name, getattr(label, name)) != getattr(label, name):
                raise Refused("fixed", f"{name} cannot be changed.", field=name)
        with transaction.atomic():
            changed = change_label(label, by=user_of(request), **wish)
            end_labels(now=clock(), only=changed)
        return Response(LabelSerializer(changed).data)

    def perform_destroy(self, instance: Label) -> None:
        delete_label(instance, by=user_of(self.request))

    @extend_schema(responses=MemberSerializer(many=True), parameters=[ON])
    @action(detail=True, filterset_fields=None)
    def customers(self, request: Request, code: str) -> Response:
        """The customers who have the label now, or had it at the end of a day."""
        held = _held_on(self.get_object(), request)
        return paged(self, Customer.objects.filter(pk__in=held.values("customer")).order_by("number"), MemberSerializer)

    @extend_schema(responses=IntervalSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def history(self, request: Request, code: str) -> Response:
        """Every interval in which somebody had the label, the latest first."""
        known = self.get_object().assignments.filter(customer__merged_into__isnull=True)
        return paged(self, known.select_related("label", "customer").order_by("-pk"), IntervalSerializer)

    @extend_schema(request=NumbersSerializer, responses=ChangedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def give(self, request: Request, code: str) -> Response:
        """Give the label to customers by number (one unknown number, and nobody gets it), or to everybody in a
        selection or a result set.
        """
        return self._change(request, give_label)

    @extend_schema(request=NumbersSerializer, responses=ChangedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def take(self, request: Request, code: str) -> Response:
        """Take the label from customers by number (one unknown number, and nobody loses it), or from everybody in a
        selection or a result set.
        """
        return self._change(request, take_label)

    def _change(self, request: Request, change: Any) -> Response:
        label, now = self.get_object(), clock()
        wish = NumbersSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        count = change(
            label,
            _meant(wish.validated_data, now=now),
            by=user_of(request).get_username(),
            reason=wish.validated_data["reason"],
            now=now,
            **_through(wish.validated_data),
        )
        return Response({"changed": count})


class GroupViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    queryset = LabelGroup.objects.prefetch_related("labels").order_by("code")
    serializer_class = GroupSerializer
    filterset_fields = ["is_exclusive", "is_active"]
    lookup_field = "code"

    def create(self, request: Request) -> Response:
        """Make a group for own labels."""
        sent = GroupSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        wish = dict(sent.validated_data)
        is_active = wish.pop("is_active", True)
        with transaction.atomic():
            group = create_group(**wish, by=user_of(request))
            if not is_active:
                change_group(group, is_active=False, by=user_of(request))
        return Response(GroupSerializer(group).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, code: str) -> Response:
        """Change what is given; the code stays as it is."""
        group = self.get_object()
        sent = GroupSerializer(group, data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        wish = dict(sent.validated_data)
        if wish.pop("code", group.code) != group.code:
            raise Refused("fixed", "code cannot be changed.", field="code")
        return Response(GroupSerializer(change_group(group, by=user_of(request), **wish)).data)

    def perform_destroy(self, instance: LabelGroup) -> None:
        delete_group(instance, by=user_of(self.request))

    @extend_schema(request=CodesSerializer, responses=GroupSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def order(self, request: Request, code: str) -> Response:
        """Put the labels of the group in order, from low to high: all of them."""
        wish = CodesSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        order_labels(self.get_object(), wish.validated_data["labels"], by=user_of(request))
        return Response(GroupSerializer(self.get_object()).data)


class LabelsOfCustomer(viewsets.GenericViewSet[Any]):
    """Belongs to the resource of customers, which finds the customer by his number."""

    @extend_schema(responses=IntervalSerializer(many=True))
    @action(detail=True, filterset_class=None, url_path="label-history")
    def label_history(self, request: Request, number: str) -> Response:
        """Every interval in which this customer had a label, the latest first: from when to when, by what and why."""
        known = cast(Customer, self.get_object()).label_assignments.select_related("label", "customer")
        return paged(self, known.order_by("-since", "-pk"), IntervalSerializer)


def _meant(wish: dict[str, Any], *, now: dt.datetime) -> Any:
    """Return whom a wish means; raises Refused when it says so in no way, or in more than one."""
    sides = [wish[name] for name in ("selection", "result_set") if name in wish]
    if len(sides) + ("numbers" in wish) != 1:
        raise Refused("whom", "Give either numbers, a selection or a result set.", field="numbers")
    return compile_rule(part_rule(sides, [True]), now=now) if sides else customers_of(wish["numbers"])


def _through(wish: dict[str, Any]) -> dict[str, Any]:
    """Return what the history of the label keeps of where the customers came from."""
    if "selection" in wish:
        return {"how": Assignment.How.SELECTION, "through": wish["selection"].pk}
    return {"how": Assignment.How.API}


def _held_on(label: Label, request: Request) -> Any:
    """Return who has the label, or had it at the end of the day that is asked for."""
    asked = request.query_params.get("on", "")
    if not asked:
        return label.assignments.open()
    try:
        return label.assignments.at(end_of_day(dt.date.fromisoformat(asked)))
    except (ValueError, OverflowError):
        raise serializers.ValidationError({"on": _("A date such as 2026-12-31 is expected here.")}) from None
