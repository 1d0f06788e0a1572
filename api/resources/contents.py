"""Contents over the API: what a message says, changing that, and what the checks say of it before it goes out."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.content_previews import PreviewsOfContents, purpose_of
from api.resources.content_versions import VersionsOfContents, editable
from api.resources.fields import by_code, user_of
from common.time import clock
from customers.consents import reaching_purposes
from mailings import actions
from mailings.checks import Proof, Severity, check_content
from mailings.checks.links import links_of
from mailings.models import Content, LinkCheck, Mailing
from mailings.tasks import check_links as look_up_links
from selections.compiler import members
from selections.models import Selection


class ContentSerializer(serializers.ModelSerializer[Content]):
    """``blocks``: a list of ``{"type", "data", "audience"}``; ``id`` is given when left out. ``version`` of a change:
    the one that it was made in; it is refused when that is not the current one any more.
    """

    blocks = serializers.JSONField(required=False)
    version = serializers.IntegerField(min_value=0, required=False)

    class Meta:
        model = Content
        fields = ["id", "name", "subject", "preheader", "blocks", "version", "updated_at"]
        read_only_fields = ["updated_at"]


class ContentCopySerializer(serializers.Serializer[Any]):
    """How the copy is called."""

    name = serializers.CharField(max_length=120)


class TakeOverSerializer(serializers.Serializer[Any]):
    """Of which content the blocks are copied, and whether they come in place of what stands there now."""

    content = serializers.PrimaryKeyRelatedField(queryset=Content.objects.all())
    in_place = serializers.BooleanField(default=False)


class CheckQuestionSerializer(serializers.Serializer[Any]):
    """As what it would go out: for a purpose (code), over channels, to a selection (id; without: all customers)."""

    purpose = by_code(reaching_purposes(), required=False)
    channels = serializers.ChoiceField(choices=Mailing.Channels.choices, required=False)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use(), required=False)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing that is not as it should be.

    ``place``: id of a block, ``subject``, ``preheader``, ``sending`` or empty. ``count``: how many
    customers it hits, where that was counted.
    """

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    words = serializers.CharField()
    remedy = serializers.CharField()
    place = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class LinkSerializer(serializers.Serializer[Any]):
    """A link and what it answered when it was looked up; ``answer`` is null when it never was, ``is_fresh`` tells
    whether that was less than a day ago.
    """

    url = serializers.CharField()
    place = serializers.CharField()
    is_fresh = serializers.BooleanField()
    answer = serializers.ChoiceField(
        choices=LinkCheck.State.choices, source="check.state", allow_null=True, default=None
    )
    detail = serializers.CharField(source="check.detail", default="")
    checked_at = serializers.DateTimeField(source="check.checked_at", allow_null=True, default=None)


class CheckReportSerializer(serializers.Serializer[Any]):
    """What was found, the worst first; the codes of the checks that found nothing; the links."""

    findings = FindingSerializer(many=True)
    passed = serializers.ListField(child=serializers.CharField())
    links = LinkSerializer(many=True)


class AskedSerializer(serializers.Serializer[Any]):
    """How many links are being looked up; the others answered less than a day ago, or are waiting already."""

    asked = serializers.IntegerField()


class ContentViewSet(
    VersionsOfContents,
    PreviewsOfContents,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Any],
):
    queryset = Content.objects.select_related("action__purpose", "edition__newsletter__purpose").order_by("-id")
    serializer_class = ContentSerializer
    filterset_fields = {"updated_at": ["gte", "lt"]}
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "partial_update", "copy", "take_over", "check_links", "restore", "send_test"], "manage_mailings"
    )

    def create(self, request: Request) -> Response:
        """Make a content by itself, to be taken over by messages."""
        sent = ContentSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        wish = {"blocks": [], **sent.validated_data}
        wish.pop("version", None)
        content = actions.save_content(None, **wish, by=user_of(request), now=clock())
        return Response(ContentSerializer(content).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change some fields; ``blocks`` replaces all of them. Mailings that started keep what they had."""
        content = editable(self.get_object())
        sent = ContentSerializer(content, data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        changed = actions.change_content(content, **sent.validated_data, by=user_of(request), now=clock())
        return Response(ContentSerializer(changed).data)

    @extend_schema(request=ContentCopySerializer, responses={201: ContentSerializer})
    @action(detail=True, methods=["post"], filterset_fields=None)
    def copy(self, request: Request, pk: str) -> Response:
        """Make a content that says the same; changing one changes nothing in the other."""
        wish = ContentCopySerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        content = actions.copy_content(
            self.get_object(), name=wish.validated_data["name"], by=user_of(request), now=clock()
        )
        return Response(ContentSerializer(content).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TakeOverSerializer, responses=ContentSerializer)
    @action(detail=True, methods=["post"], url_path="take-over", filterset_fields=None)
    def take_over(self, request: Request, pk: str) -> Response:
        """Put copies of another content's blocks below what stands here, or in place of it with its subject too."""
        content, wish = editable(self.get_object()), TakeOverSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        actions.take_over(content, told["content"], in_place=told["in_place"], by=user_of(request), now=clock())
        return Response(ContentSerializer(Content.objects.get(pk=content.pk)).data)

    @extend_schema(parameters=[CheckQuestionSerializer], responses=CheckReportSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def checks(self, request: Request, pk: str) -> Response:
        """What is wrong with it, were it to go out now; without a purpose that of its action or newsletter."""
        question = CheckQuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        content, asked, now = self.get_object(), question.validated_data, clock()
        purpose, channels = asked.get("purpose") or purpose_of(content), asked.get("channels") or _channels(content)
        selection = asked.get("selection")
        candidates = members(selection, now=now) if selection else None
        report = check_content(content, purpose=purpose, channels=channels, candidates=candidates, now=now)
        links = links_of(Proof(content, purpose, channels, now))
        passed = [check.code for check in report.passed]
        return Response(CheckReportSerializer({"findings": report.findings, "passed": passed, "links": links}).data)

    @extend_schema(request=None, responses={202: AskedSerializer})
    @action(detail=True, methods=["post"], url_path="check-links", filterset_fields=None)
    def check_links(self, request: Request, pk: str) -> Response:
        """Have the links looked up that were not today; ``checks`` tells soon after what they answered."""
        content, now = self.get_object(), clock()
        found = links_of(Proof(content, purpose_of(content), Mailing.Channels.EMAIL, now))
        asked = actions.ask_link_checks([one.url for one in found], now=now)
        look_up_links.delay_on_commit()  # type: ignore[attr-defined]
        return Response({"asked": asked}, status=status.HTTP_202_ACCEPTED)


def _channels(content: Content) -> str:
    """Return how a content goes out, as its action says."""
    action = getattr(content, "action", None)
    return action.channels if action else Mailing.Channels.EMAIL
