"""Actions over the API: what can be sent, what gate and checks would say of it for an audience, and sending it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.contents import FindingSerializer
from api.resources.fields import by_code, user_of
from api.resources.mailings import FunnelSerializer, MailingSerializer
from api.resources.reports import WithReport
from campaigns import actions
from campaigns.models import Action
from common.errors import Refused
from common.time import clock
from mailings.experiments.checking import check_versions, planned_test
from mailings.gate import preview
from mailings.models import Decision
from selections.asking import people_of
from selections.models import ResultSet, Selection


class ActionSerializer(serializers.ModelSerializer[Action]):
    """An action: what it says stands in ``/contents/{content}/``."""

    purpose = by_code()
    gives_label = by_code()

    class Meta:
        model = Action
        fields = [
            "id", "name", "purpose", "channels", "content", "gives_label", "priority", "hold_out_percent",
            "is_archived", "created_at",
        ]  # fmt: skip


class AudienceSerializer(serializers.Serializer[Any]):
    """To whom: everybody in a selection (id) at this moment, or in a result set (id). One of the two."""

    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use(), required=False)
    result_set = serializers.PrimaryKeyRelatedField(queryset=ResultSet.objects.all(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("selection" in attrs) == ("result_set" in attrs):
            raise Refused("whom", _("Give either a selection or a result set."), field="selection")
        return attrs


class RunSerializer(AudienceSerializer):
    """An action to send, to whom, and a ``key`` of your own: sent again with the same key, for the same audience, it
    stays one mailing. ``confirmed``: the fingerprint of the warnings that somebody has seen, as the GET tells it.
    """

    key = serializers.RegexField(r"^[A-Za-z0-9_.:-]+$", max_length=40)
    confirmed = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class WouldRunSerializer(FunnelSerializer):
    """What the gate would decide, and what the checks found: an error stops it, warnings are confirmed by naming
    their ``fingerprint``.
    """

    findings = FindingSerializer(many=True)
    fingerprint = serializers.CharField(allow_blank=True)


class ActionViewSet(WithReport, viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Action.objects.select_related("purpose", "gives_label", "content").order_by("name")
    serializer_class = ActionSerializer
    filterset_fields = ["name", "is_archived", "purpose__code"]
    rights: ClassVar[dict[str, str]] = {"send": "manage_campaigns"}

    @extend_schema(parameters=[AudienceSerializer], responses=WouldRunSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def run(self, request: Request, pk: str) -> Response:
        """What would become of sending it to an audience now; nothing is sent or kept."""
        question = AudienceSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        act, now = self.get_object(), clock()
        found = people_of(_audience(question.validated_data), now=now)
        counts = preview(actions.terms_of(act), candidates=found, now=now)
        report = check_versions(
            act.content, planned_test(act.content_id), purpose=act.purpose, channels=act.channels, candidates=found,
            now=now,
        )  # fmt: skip
        told = {
            "candidates": sum(counts.values()),
            "accepted": counts.get(Decision.Outcome.ACCEPTED, 0),
            "decisions": counts,
            "findings": report.findings,
            "fingerprint": report.fingerprint,
        }
        return Response(WouldRunSerializer(told).data)

    @extend_schema(request=RunSerializer, responses={201: MailingSerializer})
    @run.mapping.post
    def send(self, request: Request, pk: str) -> Response:
        """Hand the action over for sending. The gate decides about each customer; a large mailing awaits the approval
        of a member of staff.
        """
        wish = RunSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        asked, act, now = wish.validated_data, self.get_object(), clock()
        audience = _audience(asked)
        mailing = actions.run_action(
            act,
            people_of(audience, now=now),
            due_key=f"action:{act.pk}:api:{audience._meta.model_name}:{audience.pk}:{asked['key']}",
            name=f"{act.name}: {audience.name}",
            confirmed=asked["confirmed"],
            by=user_of(request),
            now=now,
        )
        return Response(MailingSerializer(mailing).data, status=status.HTTP_201_CREATED)


def _audience(asked: dict[str, Any]) -> Selection | ResultSet:
    found: Selection | ResultSet = asked["selection"] if "selection" in asked else asked["result_set"]
    return found
