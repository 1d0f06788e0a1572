"""Web statistics over the API: websites and apps, what their pages are about, what visitors did there, and a token by
which a website says who has logged in.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import SaidField, by_code, customer_field, user_of
from api.resources.histories import HistorySerializer, history_page
from common.time import clock, local_date
from customers.models import Customer, Purpose, World
from website import actions, statistics
from website.models import PageRule, Site
from website.tokens import VALID, make_web_token

USUAL_DAYS, MOST_DAYS = 30, 366


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


class PageRuleSerializer(serializers.ModelSerializer[PageRule]):
    """Pages whose path begins with ``prefix`` belong to a section and perhaps a world; the longest prefix wins."""

    prefix = serializers.CharField(max_length=100)
    world = by_code(World.objects.all(), required=False, allow_null=True, default=None)

    class Meta:
        model = PageRule
        fields = ["id", "prefix", "section", "world"]


class SiteSerializer(serializers.ModelSerializer[Site]):
    """A website or app; ``key`` stands in its pages (``data-site``); who allows ``purpose`` is linked to his visit."""

    hosts = serializers.ListField(child=serializers.CharField(max_length=300), required=False, max_length=100)
    purpose = by_code(Purpose.objects.filter(rule=Purpose.Rule.OPT_IN), required=False)
    is_active = SaidField(required=False)
    rules = PageRuleSerializer(many=True, read_only=True)

    class Meta:
        model = Site
        fields = [
            "id", "name", "key", "hosts", "is_app", "keeps_queries", "keeps_pages", "purpose", "is_active", "rules",
        ]  # fmt: skip
        read_only_fields = ["key"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class SiteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Site.objects.select_related("purpose").prefetch_related("rules__world").order_by("id")
    serializer_class = SiteSerializer
    filterset_fields = ["is_active"]
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "partial_update", "add_rule", "remove_rule"], "manage_data"
    )

    @extend_schema(responses={201: SiteSerializer})
    def create(self, request: Request) -> Response:
        """Add a website or app; the answer has the key for its pages."""
        wish = SiteSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        fields = {"hosts": []} | wish.validated_data
        is_active = fields.pop("is_active", True)
        site = actions.add_site(**fields, by=user_of(request), now=clock())
        if not is_active:
            site = actions.change_site(site, is_active=False, by=user_of(request), now=clock())
        return self._answer(site, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given; hits of a website that is out of use are not taken in."""
        site = self.get_object()
        wish = SiteSerializer(site, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        return self._answer(actions.change_site(site, **wish.validated_data, by=user_of(request), now=clock()))

    @extend_schema(request=PageRuleSerializer, responses={201: SiteSerializer})
    @action(detail=True, methods=["post"], url_path="rules", filterset_fields=None)
    def add_rule(self, request: Request, pk: str) -> Response:
        """Say to which section and world pages belong; an earlier rule for the same path is replaced."""
        site, wish = self.get_object(), PageRuleSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actions.add_rule(site, **wish.validated_data, by=user_of(request))
        return self._answer(site, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=SiteSerializer)
    @action(detail=True, methods=["post"], url_path="rules/(?P<rule>[0-9]{1,18})/remove", filterset_fields=None)
    def remove_rule(self, request: Request, pk: str, rule: str) -> Response:
        """Take a rule away; hits that came in keep the section they got."""
        site = self.get_object()
        found = site.rules.filter(pk=rule).first()
        if found is not None:
            actions.remove_rule(found, by=user_of(request))
        return self._answer(site)

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def history(self, request: Request, pk: str) -> Response:
        """Each change of its settings, the latest first."""
        return history_page(self, self.get_object().events.all())

    def _answer(self, site: Site, code: int = status.HTTP_200_OK) -> Response:
        return Response(SiteSerializer(self.get_queryset().get(pk=site.pk)).data, status=code)


class WebQuestionSerializer(serializers.Serializer[Any]):
    """Of which site (all, when it is left out), and which days."""

    site = serializers.PrimaryKeyRelatedField(queryset=Site.objects.all(), required=False)
    start = serializers.DateField(required=False, help_text="First day; 30 days back when it is left out")
    end = serializers.DateField(required=False, help_text="Last day; today when it is left out")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        last = attrs.setdefault("end", local_date(clock()))
        earliest = dt.date.min + dt.timedelta(days=MOST_DAYS)
        first = attrs.setdefault("start", max(last, earliest) - dt.timedelta(days=USUAL_DAYS - 1))
        if not 0 <= (last - first).days < MOST_DAYS:
            raise serializers.ValidationError({"start": [_("Give two days in order, at most a year apart.")]})
        return attrs


class WebDaySerializer(serializers.Serializer[Any]):
    """One day; ``identified`` of the visits were linked to a customer, ``seconds`` that pages and the app were used."""

    day = serializers.DateField()
    views = serializers.IntegerField()
    visits = serializers.IntegerField()
    identified = serializers.IntegerField()
    searches = serializers.IntegerField()
    without_results = serializers.IntegerField()
    forms = serializers.IntegerField()
    logins = serializers.IntegerField()
    seconds = serializers.IntegerField()


class WebSectionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)
    views = serializers.IntegerField()
    identified = serializers.IntegerField()
    seconds = serializers.IntegerField()


class WebPageSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    views = serializers.IntegerField()
    visits = serializers.IntegerField()
    seconds = serializers.IntegerField()


class WebQuerySerializer(serializers.Serializer[Any]):
    query = serializers.CharField()
    searches = serializers.IntegerField()
    without_results = serializers.IntegerField()


class WebStatisticsSerializer(serializers.Serializer[Any]):
    """What visitors did: each day, and on all of them together the sections, pages and words most in demand."""

    days = WebDaySerializer(many=True)
    sections = WebSectionSerializer(many=True)
    pages = WebPageSerializer(many=True)
    queries = WebQuerySerializer(many=True)


class WebStatisticsViewSet(viewsets.GenericViewSet[Any]):
    queryset = Site.objects.none()
    serializer_class = WebStatisticsSerializer
    filterset_class = None
    pagination_class = None

    @extend_schema(parameters=[WebQuestionSerializer], responses=WebStatisticsSerializer)
    def list(self, request: Request) -> Response:
        """Counts without anybody in them, as the page about web statistics shows them."""
        question = WebQuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        asked = question.validated_data
        days, site = {"first": asked["start"], "last": asked["end"]}, asked.get("site")
        sites = [site.pk] if site else list(Site.objects.values_list("pk", flat=True))
        told = {
            "days": statistics.per_day(sites, **days),
            "sections": statistics.sections(sites, **days),
            "pages": statistics.pages(sites, **days),
            "queries": statistics.queries(sites, **days),
        }
        return Response(WebStatisticsSerializer(told).data)
