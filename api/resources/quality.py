"""How good the data is: what was counted last, with for each issue a rule that finds those customers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import QualityCount
from customers.quality import issues
from selections.issues import rule_of


class BranchCountSerializer(serializers.Serializer[Any]):
    branch = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()


class SourceCountSerializer(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()


class IssueSerializer(serializers.Serializer[Any]):
    """Something that is wrong with ``count`` customers; ``rule`` can be given to /api/v1/selections/."""

    code = serializers.CharField()
    group = serializers.CharField()
    name = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()
    branches = BranchCountSerializer(many=True)
    sources = SourceCountSerializer(many=True)
    rule = serializers.DictField()


class QualitySerializer(serializers.Serializer[Any]):
    """What was counted on the last day there is; ``day`` is null before the first count."""

    day = serializers.DateField(allow_null=True)
    customers = serializers.IntegerField()
    issues = IssueSerializer(many=True)


class QualityViewSet(viewsets.GenericViewSet[Any]):
    queryset = QualityCount.objects.none()
    serializer_class = QualitySerializer
    filterset_class = None
    pagination_class = None

    @extend_schema(responses=QualitySerializer)
    def list(self, request: Request) -> Response:
        """What is missing, wrong, double or out of date, per branch and per source, as counted last night."""
        last = QualityCount.objects.order_by("-day").first()
        rows = list(QualityCount.objects.filter(day=last.day).select_related("branch", "source")) if last else []
        counts = {row.issue: row.count for row in rows if row.scope == QualityCount.Scope.ALL}
        branches = [row for row in rows if row.scope == QualityCount.Scope.BRANCH]
        sources = [row for row in rows if row.scope == QualityCount.Scope.SOURCE]
        told = [
            {
                "code": issue.code, "group": issue.group, "name": issue.name, "remedy": issue.remedy,
                "count": counts.get(issue.code, 0), "rule": rule_of(issue),
                "branches": [
                    {"branch": row.branch.code if row.branch else None, "count": row.count}
                    for row in branches if row.issue == issue.code
                ],
                "sources": [
                    {"source": row.source.code, "count": row.count}
                    for row in sources if row.issue == issue.code and row.source
                ],
            }
            for issue in issues
        ]  # fmt: skip
        answer = {"day": last.day if last else None, "customers": counts.get("", 0), "issues": told}
        return Response(QualitySerializer(answer).data)
