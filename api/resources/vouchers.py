"""Vouchers over the API: a web shop or ticket desk checks and redeems them as the counter does."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import branch_field, by_code, customer_field, user_of
from common.time import clock
from customers.models import Customer
from vouchers import actions, codes
from vouchers.models import Definition, Redemption, Voucher

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True,
    description="Your own key for this redemption; sending it again gives the same answer and redeems nothing more.",
)  # fmt: skip


class DefinitionSerializer(serializers.ModelSerializer[Definition]):
    branches = by_code(many=True)

    class Meta:
        model = Definition
        fields = [
            "id", "name", "kind", "benefit", "percent", "amount_cents", "product", "conditions", "holder", "valid_from",
            "valid_until", "valid_days", "branches", "uses_per_code", "state",
        ]  # fmt: skip


class VoucherSerializer(serializers.ModelSerializer[Voucher]):
    definition = DefinitionSerializer(read_only=True)
    customer = by_code(key="number")

    class Meta:
        model = Voucher
        fields = ["code", "definition", "customer", "issued_at", "valid_from", "valid_until", "uses", "state"]


class RedeemSerializer(serializers.Serializer[Any]):
    """What is known of the sale; a voucher on a name needs that customer's number."""

    branch = branch_field()
    customer_number = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    order_cents = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    reference = serializers.CharField(required=False, allow_blank=True, max_length=80, default="")


class RedemptionSerializer(serializers.ModelSerializer[Redemption]):
    code = serializers.CharField(source="voucher.code")
    branch = by_code()

    class Meta:
        model = Redemption
        fields = [
            "id",
            "code",
            "branch",
            "channel",
            "order_cents",
            "discount_cents",
            "reference",
            "redeemed_at",
        ]


class IssueSerializer(serializers.Serializer[Any]):
    """For whom, and your own name for the occasion: the same occasion never gives a customer a second voucher."""

    customer = customer_field()
    occasion = serializers.RegexField(r"^[\w.-]{1,40}$")


class ReverseSerializer(serializers.Serializer[Any]):
    """Why the redemption is taken back."""

    reason = serializers.CharField(max_length=200)


class DefinitionViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Definition.objects.prefetch_related("branches").order_by("name")
    serializer_class = DefinitionSerializer
    filterset_fields = ["kind", "state"]

    @extend_schema(request=IssueSerializer, responses={201: VoucherSerializer})
    @action(detail=True, methods=["post"], filterset_fields=None)
    def issue(self, request: Request, pk: str) -> Response:
        """Issue a voucher to one customer; repeating the same occasion gives the voucher that is there."""
        definition = self.get_object()
        wish = IssueSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        customer, origin = wish.validated_data["customer"], f"api:{wish.validated_data['occasion']}"
        actions.issue_vouchers(definition, Customer.objects.filter(pk=customer.pk), origin=origin, now=clock())
        voucher = Voucher.objects.get(definition=definition, customer=customer, origin=origin)
        return Response(VoucherSerializer(voucher).data, status=status.HTTP_201_CREATED)


class VoucherViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Voucher.objects.select_related("definition", "customer").prefetch_related("definition__branches")
    serializer_class = VoucherSerializer
    lookup_field = "code"

    def get_object(self) -> Voucher:
        voucher: Voucher = get_object_or_404(self.get_queryset(), code=codes.normalise(self.kwargs["code"]))
        return voucher

    @extend_schema(request=RedeemSerializer, responses={200: RedemptionSerializer}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"])
    def redeem(self, request: Request, code: str) -> Response:
        """Redeem a voucher, once. 404 unknown, 409 not to be redeemed (the body says why), 429 too many attempts."""
        key = request.headers.get("Idempotency-Key", "")
        if not 8 <= len(key) <= 64:
            raise serializers.ValidationError(
                {"Idempotency-Key": _("Send a key of 8 to 64 characters in this header.")}
            )
        sale = RedeemSerializer(data=request.data)
        sale.is_valid(raise_exception=True)
        redemption = actions.redeem(
            code,
            branch=sale.validated_data.get("branch"),
            staff=user_of(request),
            channel="api",
            order_cents=sale.validated_data.get("order_cents"),
            customer_number=sale.validated_data["customer_number"],
            reference=sale.validated_data["reference"],
            idempotency_key=f"api:{user_of(request).pk}:{key}"[:80],
            now=clock(),
        )
        return Response(RedemptionSerializer(redemption).data)


class RedemptionViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Redemption.objects.select_related("voucher", "branch").order_by("-id")
    serializer_class = RedemptionSerializer
    filterset_fields = {"redeemed_at": ["gte", "lt"], "branch__code": ["exact"], "channel": ["exact"]}

    @extend_schema(request=ReverseSerializer, responses=RedemptionSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def reverse(self, request: Request, pk: str) -> Response:
        """Take a redemption back, once, with a reason; an integration may reverse only what came in over the API."""
        redemption = get_object_or_404(self.get_queryset(), pk=pk, channel="api", staff=user_of(request))
        wish = ReverseSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actions.reverse_redemption(
            redemption, reason=wish.validated_data["reason"], staff=user_of(request), now=clock()
        )
        return Response(RedemptionSerializer(redemption).data)
