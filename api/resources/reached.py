"""What one customer was sent, was not sent and why, and the vouchers that were given."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged
from api.resources.vouchers import VoucherSerializer
from mailings.models import Decision, Message
from vouchers.models import Voucher


class ReachedSerializer(serializers.Serializer[Any]):
    """A decision about this customer: ``outcome`` accepted or why not, and what became of the message, if any."""

    mailing = serializers.IntegerField(source="mailing_id")
    name = serializers.CharField(source="mailing.name")
    purpose = serializers.CharField(source="mailing.purpose.code")
    outcome = serializers.CharField()
    channel = serializers.CharField()
    basis = serializers.CharField()
    decided_at = serializers.DateTimeField()
    state = serializers.SerializerMethodField()
    sent_at = serializers.SerializerMethodField()
    clicks = serializers.SerializerMethodField()

    def _message(self, decision: Decision) -> Any:
        return self.context["messages"].get(decision.mailing_id)

    def get_state(self, decision: Decision) -> str | None:
        message = self._message(decision)
        return str(message.state) if message else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_sent_at(self, decision: Decision) -> str | None:
        message = self._message(decision)
        return serializers.DateTimeField().to_representation(message.sent_at) if message else None

    def get_clicks(self, decision: Decision) -> int:
        message = self._message(decision)
        return message.many if message else 0


class ReachedOfCustomer(viewsets.GenericViewSet[Any]):
    """Belongs to the resource of customers, which finds the customer by his number."""

    @extend_schema(responses=ReachedSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def messages(self, request: Request, number: str) -> Response:
        """Every decision about this customer, the latest first: received, and not received and why."""
        customer = self.get_object()
        decisions = Decision.objects.filter(customer=customer).select_related("mailing__purpose")
        page = self.paginate_queryset(decisions.order_by("-decided_at", "-pk")) or []
        sent = Message.objects.filter(customer=customer, mailing__in=[decision.mailing_id for decision in page])
        by_mailing = {message.mailing_id: message for message in sent.annotate(many=Count("clicks"))}
        told = ReachedSerializer(page, many=True, context={"messages": by_mailing})
        return self.get_paginated_response(told.data)

    @extend_schema(responses=VoucherSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def vouchers(self, request: Request, number: str) -> Response:
        """The vouchers of this customer, the latest first."""
        vouchers = Voucher.objects.filter(customer=self.get_object()).select_related("definition")
        rows = vouchers.prefetch_related("definition__branches").order_by("-issued_at", "-pk")
        return paged(self, rows, VoucherSerializer)
