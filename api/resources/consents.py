"""Sign-ups over the API: of people who may be strangers, by the form of a website or a till."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import branch_field, by_code, user_of
from common.time import clock
from customers.models import Source
from mailings.tasks import send_confirmations
from newsletter.actions import sign_up
from newsletter.models import Newsletter


class SignUpSerializer(serializers.Serializer[Any]):
    """Who signs up for which newsletter, through which source, and the version of the words he agreed to."""

    newsletter = serializers.PrimaryKeyRelatedField(queryset=Newsletter.objects.select_related("purpose"))
    email = serializers.EmailField(max_length=254)
    first_name = serializers.CharField(required=False, allow_blank=True, max_length=80, default="")
    name_prefix = serializers.CharField(required=False, allow_blank=True, max_length=20, default="")
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    branch = branch_field()
    source = by_code(Source.objects.all())
    wording_version = serializers.CharField(max_length=40)
    network_address = serializers.IPAddressField(
        required=False, default="", help_text="Of the visitor; kept as the network it lies in."
    )


class AcceptedSerializer(serializers.Serializer[Any]):
    """The sign-up was taken in; the same for an address that is known and one that is not."""

    accepted = serializers.BooleanField()


class SignUpViewSet(viewsets.GenericViewSet[Any]):
    serializer_class = SignUpSerializer
    queryset = Newsletter.objects.none()

    @extend_schema(request=SignUpSerializer, responses={202: AcceptedSerializer})
    def create(self, request: Request) -> Response:
        """Sign somebody up. He gets a mail with a link, and counts once he has confirmed (double opt-in)."""
        wish = SignUpSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        fields = dict(wish.validated_data)
        newsletter, source = fields.pop("newsletter"), fields.pop("source")
        sign_up(newsletter, source_code=source.code, actor=user_of(request).get_username(), now=clock(), **fields)
        transaction.on_commit(send_confirmations.delay, robust=True)
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)
