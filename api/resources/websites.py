"""Web statistics over the API: a token by which a website says who has logged in there."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import customer_field
from common.time import clock
from customers.models import Customer
from website.tokens import VALID, make_web_token


class WebTokenInSerializer(serializers.Serializer[Any]):
    """Who has logged in."""

    customer = customer_field()


class WebTokenSerializer(serializers.Serializer[Any]):
    """To be given to the script in the page of this visitor: ``wise('identify', token)``."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class WebTokenViewSet(viewsets.GenericViewSet[Any]):
    queryset = Customer.objects.none()
    serializer_class = WebTokenInSerializer

    @extend_schema(request=WebTokenInSerializer, responses={201: WebTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token for one customer, valid for an hour. The visit is only linked when he allows that."""
        asked = WebTokenInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now = clock()
        answer = {"token": make_web_token(asked.validated_data["customer"], now=now), "expires_at": now + VALID}
        return Response(WebTokenSerializer(answer).data, status=status.HTTP_201_CREATED)
