"""Over which mail servers mail leaves and how fast, over the API, with its history; and the keys that sign it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.permissions import MayManageSending
from api.resources.fields import user_of
from api.resources.sending import Kept
from mailings import actions
from mailings.delivery import try_out, wrong_with
from mailings.dkim import signers
from mailings.dkim_keys import Signer
from mailings.models import DomainLimit, Relay


class RelaySerializer(serializers.ModelSerializer[Relay]):
    """A mail server, or a provider over the web. ``variable`` names the setting with its address, which says nothing
    while ``is_known`` is false; ``weight`` is its share, ``per_second`` its speed over all workers (null: no limit).
    """

    is_known = serializers.BooleanField(read_only=True)
    provider = serializers.CharField(read_only=True)

    class Meta:
        model = Relay
        fields = ["id", "name", "variable", "weight", "connections", "per_second", "is_active", "is_known", "provider"]
        # the action says in words that the name is taken
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class TriedSerializer(serializers.Serializer[Any]):
    """``wrong``: what went wrong; empty when it let us in. Of a provider over the web only its settings are
    looked at.
    """

    wrong = serializers.CharField(allow_blank=True)


class RelayViewSet(Kept):
    queryset = Relay.objects.order_by("id")
    serializer_class = RelaySerializer
    filterset_fields = {"is_active": ["exact"]}
    event_model = "RelayEvent"

    def save(self, known: Relay | None, values: dict[str, Any], request: Request) -> Relay:
        own = {name: value for name, value in values.items() if name not in ("is_known", "provider")}
        return actions.save_relay(known, **own, by=user_of(request))

    def perform_destroy(self, instance: Relay) -> None:
        actions.remove_relay(instance, by=user_of(self.request))

    @extend_schema(request=None, responses=TriedSerializer)
    @action(detail=True, methods=["post"], url_path="try", filterset_fields=None, pagination_class=None)
    def try_out(self, request: Request, pk: str) -> Response:
        """Connect and sign in, without sending anything."""
        relay = self.get_object()
        if not relay.is_known:
            return Response({"wrong": _("The setting %s is not there.") % relay.variable})
        return Response({"wrong": try_out(relay.variable)[:300]})


class DomainLimitSerializer(serializers.ModelSerializer[DomainLimit]):
    """At most so many messages per minute to addresses at this domain, over all mail servers and workers."""

    class Meta:
        model = DomainLimit
        fields = ["id", "domain", "per_minute"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"domain": {"validators": []}}


class DomainLimitViewSet(Kept):
    queryset = DomainLimit.objects.order_by("domain")
    serializer_class = DomainLimitSerializer
    filterset_fields = {"domain": ["exact"]}
    event_model = "DomainLimitEvent"

    def save(self, known: DomainLimit | None, values: dict[str, Any], request: Request) -> DomainLimit:
        return actions.save_domain_limit(known, **values, by=user_of(request))

    def perform_destroy(self, instance: DomainLimit) -> None:
        actions.remove_domain_limit(instance, by=user_of(self.request))


class SigningKeySerializer(serializers.Serializer[Any]):
    """The published half of a key: the text ``record`` belongs in the DNS at the name ``place``."""

    domain = serializers.CharField()
    kind = serializers.CharField()
    place = serializers.CharField()
    record = serializers.CharField()


class CheckedKeySerializer(SigningKeySerializer):
    """``wrong``: what receivers would stumble over; empty when all is well."""

    wrong = serializers.SerializerMethodField()

    def get_wrong(self, signer: Signer) -> str:
        return wrong_with(signer)


class SigningKeyViewSet(viewsets.GenericViewSet[Any]):
    """The keys that sign our mail (DKIM). They stand in the settings; private halves are shown nowhere."""

    permission_classes = [MayManageSending]
    serializer_class = SigningKeySerializer
    queryset = Relay.objects.none()
    filterset_class = None
    pagination_class = None

    @extend_schema(responses=SigningKeySerializer(many=True))
    def list(self, request: Request) -> Response:
        """All keys."""
        return Response(SigningKeySerializer(signers(), many=True).data)

    @extend_schema(request=None, responses=CheckedKeySerializer(many=True))
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Ask the DNS whether their records are there and right."""
        return Response(CheckedKeySerializer(signers(), many=True).data)
