"""The rights of customers over the API: copies of their data, restriction and erasure. By permission only."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, renderers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.permissions import MayManagePrivacy
from api.resources.fields import by_code, customer_field, user_of
from common.time import clock
from customers.actions import privacy as actions
from customers.models import AccessRequest, Customer, Erasure
from customers.models.privacy import ErasureRequest
from customers.tasks import make_copies


class CopySerializer(serializers.ModelSerializer[AccessRequest]):
    """A copy of all data of a customer; ``state`` is waiting, ready or expired."""

    customer = customer_field()

    class Meta:
        model = AccessRequest
        fields = ["id", "customer", "state", "asked_at", "ready_at", "expires_at"]
        read_only_fields = ["id", "state", "asked_at", "ready_at", "expires_at"]


class RestrictionSerializer(serializers.Serializer[Any]):
    """Keep the data of a customer and use them for nothing, or lift that; with the reason."""

    customer = customer_field()
    restricted = serializers.BooleanField()
    reason = serializers.CharField(max_length=500)


class WantedErasureSerializer(serializers.Serializer[Any]):
    customer = customer_field()
    ground = serializers.ChoiceField(choices=[Erasure.Ground.REQUEST, Erasure.Ground.ERROR], default="request")


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """The receipt: how many rows went from which table, and nothing that tells who it was."""

    class Meta:
        model = Erasure
        fields = ["id", "ground", "erased_by", "erased_at", "persons", "counts"]


class PdfRenderer(renderers.BaseRenderer):
    """Lets a caller ask for application/pdf; the file itself passes it by, errors are JSON."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return renderers.JSONRenderer().render(data)


class CopyViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = AccessRequest.objects.select_related("customer")
    serializer_class = CopySerializer
    permission_classes = [MayManagePrivacy]

    @extend_schema(responses={201: CopySerializer})
    def create(self, request: Request) -> Response:
        """Ask for a copy; it is made within some minutes. Asking again within a day gives the same one."""
        wanted = CopySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        copy = actions.request_access(wanted.validated_data["customer"], by=user_of(request), now=clock())
        transaction.on_commit(make_copies.delay, robust=True)
        return Response(CopySerializer(copy).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def data(self, request: Request, pk: str) -> FileResponse:
        """Download the copy as JSON; 404 until it is ready and after it expired."""
        return self._file("json", "application/json")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[PdfRenderer, renderers.JSONRenderer])
    def pdf(self, request: Request, pk: str) -> FileResponse:
        """Download the copy as a PDF to read; 404 until it is ready and after it expired."""
        return self._file("pdf", PdfRenderer.media_type)

    def _file(self, kind: str, content_type: str) -> FileResponse:
        copy = self.get_object()
        if copy.state != AccessRequest.State.READY or copy.expires_at <= clock():
            raise Http404
        response = FileResponse(getattr(copy, kind).open("rb"), content_type=content_type)
        response.headers["Cache-Control"] = "no-store, private"
        return response


class RestrictionViewSet(viewsets.GenericViewSet[Any]):
    queryset = Customer.objects.none()
    serializer_class = RestrictionSerializer
    permission_classes = [MayManagePrivacy]

    @extend_schema(responses={200: RestrictionSerializer})
    def create(self, request: Request) -> Response:
        """Restrict the data of a customer, or lift the restriction."""
        wanted = RestrictionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        act = actions.restrict if given["restricted"] else actions.unrestrict
        act(given["customer"], reason=given["reason"], by=user_of(request), now=clock())
        return Response(wanted.data)


class ErasureViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Erasure.objects.order_by("-id")
    serializer_class = ErasureSerializer
    permission_classes = [MayManagePrivacy]

    @extend_schema(request=WantedErasureSerializer, responses={201: ErasureSerializer})
    def create(self, request: Request) -> Response:
        """Erase a customer for good, with everybody who was merged into him; the receipt comes back."""
        wanted = WantedErasureSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        erasure = actions.erase_customer(given["customer"], ground=given["ground"], by=user_of(request), now=clock())
        return Response(ErasureSerializer(erasure).data, status=status.HTTP_201_CREATED)


class ErasureRequestSerializer(serializers.ModelSerializer[ErasureRequest]):
    """A customer who asks to be erased, in his own words; it is to be answered within a month (AVG 12(3))."""

    customer = by_code(key="number")

    class Meta:
        model = ErasureRequest
        fields = ["id", "customer", "asked_at", "note", "state", "answer", "decided_by", "decided_at"]


class AnswerSerializer(serializers.Serializer[Any]):
    """Why it is refused, as the customer reads it in MijnMenu."""

    answer = serializers.CharField(max_length=2000)


class ErasureRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """What customers asked in MijnMenu; who is erased goes with his request."""

    queryset = ErasureRequest.objects.select_related("customer").order_by("id")
    serializer_class = ErasureRequestSerializer
    permission_classes = [MayManagePrivacy]
    filterset_fields = ["state"]

    @extend_schema(request=AnswerSerializer, responses=ErasureRequestSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def refuse(self, request: Request, pk: str) -> Response:
        """Refuse an open request, with the reasons."""
        asked, wish = self.get_object(), AnswerSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actions.refuse_request(asked, answer=wish.validated_data["answer"], by=user_of(request), now=clock())
        asked.refresh_from_db()
        return Response(ErasureRequestSerializer(asked).data)
