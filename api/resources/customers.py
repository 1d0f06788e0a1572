"""Customers over the API: read, create or change by number, and what hangs below one customer."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.consents import ConsentsOfCustomer
from api.resources.fields import branch_field, by_code, paged, user_of
from api.resources.knowing import KnownOfCustomer
from api.resources.labels import LabelsOfCustomer
from api.resources.reached import ReachedOfCustomer
from api.resources.timeline import TimelineOfCustomer
from common.time import clock
from customers import actions
from customers.golden import provenance
from customers.models import Branch, ContactPoint, Customer, Fact, Source, Subscription, World
from customers.names import normalise_email, normalise_phone, normalise_postal_code
from customers.numbers import find
from labels.actions import give_label, take_label
from labels.models import Assignment, Label


class BranchSerializer(serializers.ModelSerializer[Branch]):
    class Meta:
        model = Branch
        fields = ["code", "name", "street", "house_number", "postal_code", "city", "phone"]


class WorldSerializer(serializers.ModelSerializer[World]):
    class Meta:
        model = World
        fields = ["code", "name"]


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    class Meta:
        model = Subscription
        fields = ["number", "type", "name", "price_cents", "started_on", "ended_on", "payment_method"]


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """A customer with his primary contact points; ``number`` is the key and cannot be changed.

    ``source`` says for whom a change is written, a code of a source; without it, for the API itself.
    """

    branch = branch_field()
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=20)
    source = by_code(
        Source.objects.exclude(kind=Source.Kind.PRODUCT), required=False, write_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Customer
        fields = [
            "number", "card_number", "kind", "initials", "first_name", "name_prefix", "last_name", "birth_date",
            "gender", "street", "house_number", "house_number_addition", "postal_code", "city", "branch",
            "registered_on", "deceased_on", "email", "phone", "address_state", "restricted_at", "updated_at", "source",
        ]  # fmt: skip
        read_only_fields = ["number", "address_state", "restricted_at", "updated_at"]


class OverruledSerializer(serializers.Serializer[Any]):
    """A field that did not become what was said, and whose word stands there instead."""

    field = serializers.CharField()
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    value = serializers.CharField()


class ChangedCustomerSerializer(CustomerSerializer):
    """A customer after a change; ``overruled`` has the fields on which another source is believed first: which source,
    and the value that therefore stays.
    """

    overruled = OverruledSerializer(many=True, read_only=True)

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "overruled"]


class WordSerializer(serializers.Serializer[Any]):
    """What a source says of a field, as text, and since when."""

    source = serializers.CharField(source="source.code")  # type: ignore[assignment]
    value = serializers.CharField()
    at = serializers.DateTimeField()


class SaidSerializer(WordSerializer):
    """Whose word a field is; ``others`` say something about it too, the most trusted first."""

    field = serializers.CharField()
    others = WordSerializer(many=True)


class ContactPointSerializer(serializers.ModelSerializer[ContactPoint]):
    source = by_code()

    class Meta:
        model = ContactPoint
        fields = ["channel", "value", "is_primary", "source", "updated_at"]


class LabelHeldSerializer(serializers.Serializer[Any]):
    """A label that a customer has now."""

    code = serializers.CharField(source="label.code")
    name = serializers.CharField(source="label.name")
    kind = serializers.CharField(source="label.kind")
    since = serializers.DateTimeField()
    given_by = serializers.CharField()


class LabelCodeSerializer(serializers.Serializer[Any]):
    """Which label to give or take."""

    label = by_code(Label.objects.all())
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class FactSerializer(serializers.ModelSerializer[Fact]):
    branch = by_code()
    source = by_code()
    order = serializers.CharField(source="order_number", default="")

    class Meta:
        model = Fact
        fields = [
            "kind", "occurred_at", "branch", "sector", "world", "genre", "quantity", "amount_cents",
            "duration_seconds", "source", "external_id", "order",
        ]  # fmt: skip


class CustomerFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(
        method="by_words", label="name, number, card, e-mail, phone, postal code or birth date; the best 200"
    )
    card = django_filters.CharFilter(field_name="card_number", label="number on the library card")
    branch = django_filters.CharFilter(field_name="branch__code")
    email = django_filters.CharFilter(method="by_email", label="primary e-mail address")
    updated_since = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Customer
        fields = ["kind", "postal_code"]

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow first and search last: a search stops at the best, which must be the best of what is left."""
        words = self.form.cleaned_data.pop("search", "")
        narrowed = super().filter_queryset(queryset)
        self.form.cleaned_data["search"] = words
        return self.by_words(narrowed, "search", words) if words else narrowed

    def by_words(self, queryset: Any, name: str, value: str) -> QuerySet[Customer]:
        found: QuerySet[Customer] = queryset.search(value)
        return found

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


#: A value as records hold it, where that is not simply its text.
NORMAL = {"email": normalise_email, "phone": normalise_phone, "postal_code": normalise_postal_code}


def _said(data: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the fields of a request, and for which source they are written."""
    fields = dict(data)
    source = fields.pop("source", None)
    return fields, source.code if source else "api"


def _text(name: str, value: Any) -> str:
    """Return a value as the record of a source holds it."""
    text = "" if value is None else str(value.code if isinstance(value, Branch) else value).strip()
    return NORMAL.get(name, str)(text)


class CustomerViewSet(
    ConsentsOfCustomer,
    KnownOfCustomer,
    LabelsOfCustomer,
    ReachedOfCustomer,
    TimelineOfCustomer,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Any],
):
    """Customers by number; a number of the library card leads to who has that card, when that is one person."""

    queryset = Customer.objects.with_contact_values().select_related("branch").order_by("number")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    lookup_field = "number"
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Customer:
        found = find(self.kwargs["number"])
        if found is None:
            raise NotFound(_("There is no customer with number or card %s.") % self.kwargs["number"])
        customer: Customer = self.get_queryset().get(pk=found.pk)
        return customer

    @extend_schema(responses={200: ChangedCustomerSerializer, 201: ChangedCustomerSerializer})
    def update(self, request: Request, number: str) -> Response:
        """Create the customer with this number, or change the one there is; repeating it changes nothing."""
        customer = find(number)
        data = CustomerSerializer(customer, data=request.data)
        data.is_valid(raise_exception=True)
        if customer is None:
            fields, source = _said(data.validated_data)
            made = actions.add_customer(number=number, by=user_of(request), now=clock(), source_code=source, **fields)
            return self._changed(made, fields, status.HTTP_201_CREATED)
        return self._change(customer, data.validated_data)

    @extend_schema(responses=ChangedCustomerSerializer)
    def partial_update(self, request: Request, number: str) -> Response:
        """Change what is given. A field on which another source is believed first stays as it is: see ``overruled``."""
        customer = self.get_object()
        data = CustomerSerializer(customer, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return self._change(customer, data.validated_data)

    def _change(self, customer: Customer, said: dict[str, Any]) -> Response:
        fields, source = _said(said)
        actions.change_customer(customer, by=user_of(self.request), now=clock(), source_code=source, **fields)
        return self._changed(customer, fields)

    def _changed(self, customer: Customer, fields: dict[str, Any], code: int = status.HTTP_200_OK) -> Response:
        """Answer with the customer as it is now, and which of the fields did not become what was said."""
        now_there = self.get_queryset().get(pk=customer.pk)
        told = provenance(now_there)
        believed = {name: told[name].value if name in told else "" for name in fields}
        overruled = [
            {"field": name, "source": told[name].source.code if name in told else None, "value": believed[name]}
            for name, value in fields.items()
            if _text(name, value) != believed[name]
        ]
        return Response({**CustomerSerializer(now_there).data, "overruled": overruled}, status=code)

    @extend_schema(responses=SaidSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def provenance(self, request: Request, number: str) -> Response:
        """For each field, which source is believed, since when it says so, and what others say."""
        told = provenance(self.get_object())
        said = [
            {"field": name, "source": one.source, "value": one.value, "at": one.at, "others": one.others}
            for name, one in told.items()
        ]
        return Response(SaidSerializer(said, many=True).data)

    @extend_schema(responses=ContactPointSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None, url_path="contact-points")
    def contact_points(self, request: Request, number: str) -> Response:
        """All addresses and numbers that are known; the primary ones are used."""
        points = self.get_object().contact_points.select_related("source").order_by("channel", "-is_primary", "value")
        return Response(ContactPointSerializer(points, many=True).data)

    @extend_schema(responses=SubscriptionSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def subscriptions(self, request: Request, number: str) -> Response:
        return Response(SubscriptionSerializer(self.get_object().subscriptions.all(), many=True).data)

    @extend_schema(responses=FactSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def facts(self, request: Request, number: str) -> Response:
        facts = self.get_object().facts.select_related("branch", "source").order_by("-occurred_at", "-id")
        return paged(self, facts, FactSerializer)

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
            how=Assignment.How.API,
            now=clock(),
        )
        return self._labels_of(customer, code)

    def _labels_of(self, customer: Customer, code: int = status.HTTP_200_OK) -> Response:
        held = customer.label_assignments.filter(until__isnull=True).select_related("label").order_by("label__code")
        return Response(LabelHeldSerializer(held, many=True).data, status=code)
