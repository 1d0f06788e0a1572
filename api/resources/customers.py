"""Customers over the API: read, create or change by number, and what hangs below one customer."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import branch_field, by_code, paged, user_of
from common.time import clock
from customers import actions
from customers.consents import record_consent, states_of
from customers.models import Branch, Consent, Customer, Fact, Purpose, Source, Subscription, World
from customers.models.consents import Channel
from customers.numbers import find
from labels.actions import give_label, take_label
from labels.models import Label


class BranchSerializer(serializers.ModelSerializer[Branch]):
    class Meta:
        model = Branch
        fields = ["code", "name", "street", "house_number", "postal_code", "city", "phone"]


class WorldSerializer(serializers.ModelSerializer[World]):
    class Meta:
        model = World
        fields = ["code", "name"]


class PurposeSerializer(serializers.ModelSerializer[Purpose]):
    class Meta:
        model = Purpose
        fields = ["code", "name", "description", "rule"]


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    class Meta:
        model = Subscription
        fields = ["number", "type", "name", "price_cents", "started_on", "ended_on", "payment_method"]


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """A customer with his primary contact points; ``number`` is the key and cannot be changed."""

    branch = branch_field()
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=20)

    class Meta:
        model = Customer
        fields = [
            "number", "kind", "initials", "first_name", "name_prefix", "last_name", "birth_date", "gender", "street",
            "house_number", "house_number_addition", "postal_code", "city", "branch", "registered_on", "email", "phone",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = ["number", "updated_at"]


class ConsentStateSerializer(serializers.Serializer[Any]):
    """The present state for one purpose over one channel, with the reason in words."""

    purpose = serializers.CharField(source="purpose.code")
    channel = serializers.ChoiceField(choices=Channel.choices)
    allowed = serializers.BooleanField(source="is_allowed")
    verdict = serializers.CharField()
    basis = serializers.CharField()
    explanation = serializers.CharField()


class ConsentEventSerializer(serializers.Serializer[Any]):
    """An event for the ledger; ``event_at`` is when the customer said it, not when it was sent here."""

    purpose = by_code(Purpose.objects.all())
    channel = serializers.ChoiceField(choices=Channel.choices)
    state = serializers.ChoiceField(choices=Consent.State.choices)
    source = by_code(Source.objects.all())
    event_at = serializers.DateTimeField()
    wording_version = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    evidence = serializers.DictField(required=False, default=dict)


class LabelHeldSerializer(serializers.Serializer[Any]):
    """A label that a customer has now."""

    code = serializers.CharField(source="label.code")
    name = serializers.CharField(source="label.name")
    kind = serializers.CharField(source="label.kind")
    since = serializers.DateTimeField()
    given_by = serializers.CharField()


class LabelCodeSerializer(serializers.Serializer[Any]):
    """Which label to give or take."""

    label = by_code(Label.objects.filter(is_active=True))
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class FactSerializer(serializers.ModelSerializer[Fact]):
    branch = by_code()
    source = by_code()

    class Meta:
        model = Fact
        fields = [
            "kind", "occurred_at", "branch", "sector", "world", "genre", "quantity", "amount_cents",
            "duration_seconds", "source", "external_id",
        ]  # fmt: skip


class CustomerFilter(django_filters.FilterSet):
    branch = django_filters.CharFilter(field_name="branch__code")
    email = django_filters.CharFilter(method="by_email", label="primary e-mail address")
    updated_since = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Customer
        fields = ["kind", "postal_code"]

    def by_email(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return queryset.filter(contact_points__channel="email", contact_points__value=value.lower()).distinct()


class BranchViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Branch.objects.all()
    serializer_class = BranchSerializer
    lookup_field = "code"


class WorldViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = World.objects.all()
    serializer_class = WorldSerializer
    lookup_field = "code"


class PurposeViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Purpose.objects.all()
    serializer_class = PurposeSerializer
    lookup_field = "code"


class CustomerViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Customer.objects.with_contact_values().select_related("branch").order_by("number")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    lookup_field = "number"
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Customer:
        """Return whom the number stands for; that of somebody who was merged leads to who was kept."""
        customer = find(self.kwargs["number"])
        return get_object_or_404(self.get_queryset(), pk=customer.pk if customer else None)

    @extend_schema(responses={200: CustomerSerializer, 201: CustomerSerializer})
    def update(self, request: Request, number: str) -> Response:
        """Create the customer with this number, or change the one there is; repeating it changes nothing."""
        customer = find(number)
        data = CustomerSerializer(customer, data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        if customer is None:
            actions.add_customer(number=number, by=user_of(request), now=clock(), **fields)
            return self._shown(number, status.HTTP_201_CREATED)
        actions.change_customer(customer, by=user_of(request), now=clock(), **fields)
        return self._shown(customer.number)

    def partial_update(self, request: Request, number: str) -> Response:
        customer = self.get_object()
        data = CustomerSerializer(customer, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        actions.change_customer(customer, by=user_of(request), now=clock(), **data.validated_data)
        return self._shown(customer.number)

    def _shown(self, number: str, code: int = status.HTTP_200_OK) -> Response:
        return Response(CustomerSerializer(self.get_queryset().get(number=number)).data, status=code)

    @extend_schema(responses=SubscriptionSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def subscriptions(self, request: Request, number: str) -> Response:
        return Response(SubscriptionSerializer(self.get_object().subscriptions.all(), many=True).data)

    @extend_schema(responses=FactSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def facts(self, request: Request, number: str) -> Response:
        facts = self.get_object().facts.select_related("branch", "source").order_by("-occurred_at", "-id")
        return paged(self, facts, FactSerializer)

    @extend_schema(responses=ConsentStateSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def consents(self, request: Request, number: str) -> Response:
        return Response(ConsentStateSerializer(states_of(self.get_object(), now=clock()), many=True).data)

    @extend_schema(request=ConsentEventSerializer, responses={201: ConsentStateSerializer(many=True)})
    @consents.mapping.post
    def record_consent(self, request: Request, number: str) -> Response:
        """Add an event to the ledger; the present states come back. Sending the same event again adds nothing."""
        customer = self.get_object()
        event = ConsentEventSerializer(data=request.data)
        event.is_valid(raise_exception=True)
        fields = dict(event.validated_data)
        source = fields.pop("source")
        record_consent(customer, source_code=source.code, actor=user_of(request).get_username(), **fields)
        states = ConsentStateSerializer(states_of(customer, now=clock()), many=True)
        return Response(states.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=LabelHeldSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def labels(self, request: Request, number: str) -> Response:
        return self._labels_of(self.get_object())

    @extend_schema(request=LabelCodeSerializer, responses={201: LabelHeldSerializer(many=True)})
    @labels.mapping.post
    def give_label(self, request: Request, number: str) -> Response:
        """Give the customer a label, by its code."""
        return self._change_label(request, give_label, status.HTTP_201_CREATED)

    @extend_schema(request=LabelCodeSerializer, responses=LabelHeldSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="labels/take", pagination_class=None, filterset_class=None)
    def take_label(self, request: Request, number: str) -> Response:
        """Take a label from the customer, by its code."""
        return self._change_label(request, take_label, status.HTTP_200_OK)

    def _change_label(self, request: Request, change: Any, code: int) -> Response:
        customer = self.get_object()
        wish = LabelCodeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        change(
            wish.validated_data["label"],
            Customer.objects.filter(pk=customer.pk),
            by=user_of(request).get_username(),
            reason=wish.validated_data["reason"],
            now=clock(),
        )
        return self._labels_of(customer, code)

    def _labels_of(self, customer: Customer, code: int = status.HTTP_200_OK) -> Response:
        held = customer.label_assignments.filter(until__isnull=True).select_related("label").order_by("label__code")
        return Response(LabelHeldSerializer(held, many=True).data, status=code)
