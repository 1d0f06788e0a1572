"""Result sets over the API: who were in a selection at a moment, kept as they were."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged, user_of
from api.resources.labels import MemberSerializer
from api.resources.moments import MomentSerializer
from api.resources.taking_out import TakingOut
from common.errors import Refused
from common.time import clock
from selections.actions import delete_folder, delete_result_set, save_folder
from selections.asking import people_of
from selections.keeping import keep_at_once_or_later
from selections.models import Folder, ResultSet, Selection
from selections.tasks import fill_result_set


class ResultSetSerializer(serializers.ModelSerializer[ResultSet]):
    """A result set: of which selection, what its rule was, and how many it held when it was kept. While it is_waiting
    these are still being looked up: ask again later.
    """

    made_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = ResultSet
        fields = [
            "id",
            "name",
            "selection",
            "rule",
            "sentence",
            "as_of",
            "member_count",
            "made_by",
            "made_at",
            "is_waiting",
        ]
        read_only_fields = fields


class KeepSerializer(MomentSerializer):
    """What to keep: those in a selection, or those whom a rule means; now, or as it was."""

    name = serializers.CharField(max_length=120)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.all(), required=False)
    rule = serializers.JSONField(required=False, help_text="Instead of a selection; see /selections/schema/")


class ResultSetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, TakingOut):
    queryset = ResultSet.objects.select_related("made_by").order_by("-id")
    serializer_class = ResultSetSerializer
    filterset_fields = ["name", "selection"]

    @extend_schema(request=KeepSerializer, responses={201: ResultSetSerializer})
    def create(self, request: Request) -> Response:
        """Keep who are in a selection, or whom a rule means, as a result set that does not change any more."""
        sent = KeepSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        wish = sent.validated_data
        told = {name: wish[name] for name in ("name", "as_of", "assume_present") if name in wish}
        if ("selection" in wish) == ("rule" in wish):
            raise Refused("selection_or_rule", _("Give either a selection or a rule."), field="selection")
        asked = wish["selection"] if "selection" in wish else wish["rule"]
        kept = keep_at_once_or_later(asked, **told, by=user_of(request), now=clock())
        if kept.is_waiting:
            fill_result_set.delay_on_commit(kept.pk)  # type: ignore[attr-defined]
        return Response(ResultSetSerializer(kept).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: ResultSet) -> None:
        delete_result_set(instance)

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def customers(self, request: Request, pk: str) -> Response:
        """Who are in it: those who were, as long as they are customers whose data may be used."""
        return paged(self, people_of(self.get_object(), now=clock()).order_by("number"), MemberSerializer)


class FolderSerializer(serializers.ModelSerializer[Folder]):
    class Meta:
        model = Folder
        fields = ["id", "name"]
        # The action refuses a name in use, in the words that the workbench has for it.
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class FolderViewSet(mixins.DestroyModelMixin, viewsets.ReadOnlyModelViewSet[Any]):
    """Folders of selections; when one is deleted its selections stay, in no folder."""

    queryset = Folder.objects.order_by("name")
    serializer_class = FolderSerializer

    @extend_schema(request=FolderSerializer, responses={201: FolderSerializer})
    def create(self, request: Request) -> Response:
        """Make a folder."""
        return Response(self._saved(request, None), status=status.HTTP_201_CREATED)

    @extend_schema(request=FolderSerializer, responses=FolderSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Give a folder another name."""
        return Response(self._saved(request, self.get_object()))

    def _saved(self, request: Request, folder: Folder | None) -> Any:
        wish = self.get_serializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return self.get_serializer(save_folder(folder, name=wish.validated_data["name"], now=clock())).data

    def perform_destroy(self, instance: Folder) -> None:
        delete_folder(instance)
