"""What the organisation sets for computed labels over the API: thresholds of system labels, and computed values."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from common.errors import Refused
from common.time import clock
from labels.actions.computed import (
    change_thresholds,
    change_value,
    create_value,
    preview_thresholds,
    preview_value,
    remove_value,
)
from labels.formulas import MEASURED
from labels.models import ValueDefinition
from labels.system import Family, families
from labels.system.thresholds import Number
from labels.tasks import refresh_system_labels_changed


class TermSerializer(serializers.Serializer[Any]):
    """One part of a formula: ``weight`` × ``what`` of facts of ``kinds`` in the last ``months``.

    ``kinds`` are codes of kinds of facts, “income” or “deeds”. Amounts count in cents.
    """

    weight = serializers.FloatField()
    what = serializers.ChoiceField(choices=list(MEASURED.items()))
    kinds = serializers.ListField(child=serializers.CharField(max_length=60), min_length=1, max_length=100)
    months = serializers.IntegerField()


class ComputedValueSerializer(serializers.ModelSerializer[ValueDefinition]):
    """A number that is kept of every customer: the sum of its ``terms``."""

    terms = TermSerializer(many=True)

    class Meta:
        model = ValueDefinition
        fields = ["code", "name", "description", "unit", "terms", "is_standard"]
        read_only_fields = ["code", "is_standard"]
        extra_kwargs = {"name": {"required": True, "allow_blank": False}}

    def to_representation(self, instance: ValueDefinition) -> dict[str, Any]:
        return {**super().to_representation(instance), "name": str(instance)}


class TermsSerializer(serializers.Serializer[Any]):
    """A formula, to see what it gives."""

    terms = TermSerializer(many=True)


class TopSerializer(serializers.Serializer[Any]):
    """A customer by his number, and what the formula gives of him."""

    number = serializers.CharField()
    value = serializers.FloatField()


class ComputedValuePreviewSerializer(serializers.Serializer[Any]):
    """Of how many customers it would be known, the lowest, the quartiles and the highest, and who have most."""

    known = serializers.IntegerField()
    quartiles = serializers.ListField(child=serializers.FloatField())
    highest = TopSerializer(many=True)


class ValueViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    queryset = ValueDefinition.objects.order_by("code")
    serializer_class = ComputedValueSerializer
    lookup_field = "code"

    def create(self, request: Request) -> Response:
        """Define a value; it is computed at once, by a worker."""
        sent = ComputedValueSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        made = create_value(**sent.validated_data, by=user_of(request), now=clock())
        refresh_system_labels_changed.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ComputedValueSerializer(made).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, code: str) -> Response:
        """Change what is given; what a standard value measures stays."""
        definition = self.get_object()
        sent = ComputedValueSerializer(definition, data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        names = ("name", "description", "unit", "terms")
        wish = {**{name: getattr(definition, name) for name in names}, **sent.validated_data}
        changed = change_value(definition, **wish, by=user_of(request))
        refresh_system_labels_changed.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ComputedValueSerializer(changed).data)

    def perform_destroy(self, instance: ValueDefinition) -> None:
        remove_value(instance, by=user_of(self.request))

    @extend_schema(request=TermsSerializer, responses=ComputedValuePreviewSerializer)
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """What a formula gives; nothing is written."""
        sent = TermsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        seen = preview_value(sent.validated_data["terms"], now=clock())
        highest = [{"number": customer.number, "value": value} for customer, value in seen.examples]
        told = {"known": seen.known, "quartiles": seen.quartiles, "highest": highest}
        return Response(ComputedValuePreviewSerializer(told).data)


class ThresholdSerializer(serializers.Serializer[Any]):
    """A number that decides who gets a label; money in cents. ``usual`` is what it is when nobody sets it."""

    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    number = serializers.FloatField()
    usual = serializers.FloatField()
    min = serializers.FloatField()
    max = serializers.FloatField()


class FamilySerializer(serializers.Serializer[Any]):
    """Labels that are computed together: the codes of their groups, and their thresholds as they are."""

    code = serializers.CharField()
    name = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
    thresholds = ThresholdSerializer(many=True)


class ThresholdNumbersSerializer(serializers.Serializer[Any]):
    """Thresholds by their code; those that are left out stay as they are."""

    thresholds = serializers.DictField(child=serializers.FloatField(), allow_empty=False)


class LabelChangeSerializer(serializers.Serializer[Any]):
    """How many would get and lose a label, some of them by their number."""

    label = serializers.CharField()  # type: ignore[assignment]
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    gaining = serializers.ListField(child=serializers.CharField())
    losing = serializers.ListField(child=serializers.CharField())


class FamilyViewSet(viewsets.ViewSet):
    """Families of system labels with the thresholds that the organisation may set."""

    serializer_class = FamilySerializer
    lookup_field = "code"
    lookup_value_regex = "[a-z0-9-]+"

    @extend_schema(responses=FamilySerializer(many=True))
    def list(self, request: Request) -> Response:
        return Response([_told(family) for family in families])

    @extend_schema(responses=FamilySerializer)
    def retrieve(self, request: Request, code: str) -> Response:
        return Response(_told(_family(code)))

    @extend_schema(request=ThresholdNumbersSerializer, responses=FamilySerializer)
    def partial_update(self, request: Request, code: str) -> Response:
        """Set thresholds; a worker computes the labels anew."""
        family = _family(code)
        change_thresholds(family, numbers=_numbers(family, request), by=user_of(request))
        refresh_system_labels_changed.delay_on_commit()  # type: ignore[attr-defined]
        return Response(_told(family))

    @extend_schema(request=ThresholdNumbersSerializer, responses=LabelChangeSerializer(many=True))
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, code: str) -> Response:
        """What setting thresholds would do, per label for which something changes; nothing is written."""
        family = _family(code)
        seen = preview_thresholds(family, numbers=_numbers(family, request), now=clock())
        told = [
            {
                "label": change.code,
                "added": change.added,
                "removed": change.removed,
                "gaining": [customer.number for customer in change.gaining],
                "losing": [customer.number for customer in change.losing],
            }
            for change in seen.labels
        ]
        return Response(LabelChangeSerializer(told, many=True).data)


def _family(code: str) -> Family:
    family = families.get(code)
    if family is None:
        raise Http404
    return family


def _numbers(family: Family, request: Request) -> dict[str, Number]:
    """Return the thresholds that were sent, and those that were left out as they are."""
    sent = ThresholdNumbersSerializer(data=request.data)
    sent.is_valid(raise_exception=True)
    asked: dict[str, Number] = sent.validated_data["thresholds"]
    now: dict[str, Number] = dict(family.limits())
    if unknown := sorted(asked.keys() - now.keys()):
        raise Refused("unknown_threshold", f"{family.code} has no threshold {unknown[0][:40]}.", field="thresholds")
    return now | asked


def _told(family: Family) -> dict[str, Any]:
    limits = family.limits()
    thresholds = [
        {
            "code": one.code,
            "name": str(one.words),
            "unit": one.unit,
            "number": limits[one.code],
            "usual": one.default,
            "min": one.min,
            "max": one.max,
        }
        for one in family.thresholds
    ]
    told = {"code": family.code, "name": str(family.name), "groups": list(family.all_groups), "thresholds": thresholds}
    return dict(FamilySerializer(told).data)
