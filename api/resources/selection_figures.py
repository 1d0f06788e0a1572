"""The figures of a rule over the API: what each part does to the number, how the customers are spread, and whom of them
may be reached over which channel; the same as the builder of the workbench tells beside a rule.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.moments import MomentSerializer
from api.resources.selection_questions import SelectionQuestions
from common.time import clock
from customers.consents import reaching_purposes
from customers.criteria.moments import known_at
from customers.models import Purpose
from labels.models import Assignment
from labels.profile import profile_of
from selections import figures
from selections.actions import checked
from selections.asking import who_are_in
from selections.rules import pointer_of

WORLD_GROUP = "world-1"  # the system labels that say in which world somebody is most at home


class FiguresQuestionSerializer(MomentSerializer):
    """A rule that is not saved, and the purpose for which it is asked who may be reached."""

    rule = serializers.JSONField(help_text="See /selections/schema/")
    purpose = serializers.SlugRelatedField(
        slug_field="code", queryset=reaching_purposes(), required=False, help_text="Without it: marketing"
    )


class PartFigureSerializer(serializers.Serializer[Any]):
    """Of one part of the rule, by its JSON pointer: ``alone`` is how many it means by itself, ``up_to_here`` how many
    its group means up to and including it, ``removed`` and ``added`` what it does to those before it.
    """

    pointer = serializers.CharField()
    alone = serializers.IntegerField()
    up_to_here = serializers.IntegerField()
    removed = serializers.IntegerField()
    added = serializers.IntegerField()


class PickFigureSerializer(serializers.Serializer[Any]):
    """Of a group that is thinned out: how many there were before, and after each pick."""

    pointer = serializers.CharField()
    counts = serializers.ListField(child=serializers.IntegerField())


class NamedCountSerializer(serializers.Serializer[Any]):
    """How many have this; an empty name is none, or unknown."""

    name = serializers.CharField()
    count = serializers.IntegerField()


class ChannelSerializer(serializers.Serializer[Any]):
    """How many have an address for a channel, and how many of those permit the purpose."""

    channel = serializers.CharField()
    known = serializers.IntegerField()
    allowed = serializers.IntegerField()


class FiguresSerializer(serializers.Serializer[Any]):
    """The figures of a rule. ``worlds`` has codes; who is reached by permission as it was at the moment asked for."""

    everybody = serializers.IntegerField()
    total = serializers.IntegerField()
    parts = PartFigureSerializer(many=True)
    picks = PickFigureSerializer(many=True)
    branches = NamedCountSerializer(many=True)
    kinds = NamedCountSerializer(many=True)
    ages = NamedCountSerializer(many=True)
    worlds = NamedCountSerializer(many=True)
    reach = ChannelSerializer(many=True)


class MarkSerializer(serializers.Serializer[Any]):
    """A label, by its code; shares (0 to 1) of the group and of everybody who have it."""

    label = serializers.CharField(source="label.code")  # type: ignore[assignment]
    share = serializers.FloatField()
    share_of_all = serializers.FloatField()


class ProfileSerializer(serializers.Serializer[Any]):
    """Labels with a difference that can hardly be chance, the clearest first; none of a group of fewer than ten. Shares
    are of the ``looked_at`` of ``total`` customers.
    """

    total = serializers.IntegerField()
    looked_at = serializers.IntegerField()
    more = MarkSerializer(many=True)
    less = MarkSerializer(many=True)


class SelectionFigures(SelectionQuestions):
    """Selections, with the figures of a rule."""

    @extend_schema(request=FiguresQuestionSerializer, responses=FiguresSerializer)
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def figures(self, request: Request) -> Response:
        """Tell what each part of a rule does, how the customers are spread, and how they may be reached."""
        sent = FiguresQuestionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        asked, now = sent.validated_data, clock()
        rule, then = checked(asked["rule"], now=now), asked.get("as_of")
        who_are_in(rule, as_of=then, assume_present=asked["assume_present"], now=now)  # refuses what is not known
        at = then or now
        among = known_at(at) if then else None
        measure = figures.measure(rule, now=at, among=among)
        homes = Assignment.objects.at(at).filter(label__group__code=WORLD_GROUP).order_by()
        worlds = homes.values("customer_id", world=F("label__code"))
        spread = figures.spread(rule, now=at, among=among, worlds=worlds)
        purpose = asked.get("purpose") or Purpose.objects.filter(code="marketing").first()
        reached = figures.reachability(rule, purpose=purpose, now=at, among=among) if purpose else []
        told = {
            "everybody": measure.everybody,
            "total": measure.total,
            "parts": [_part(pointer_of(path), tally) for path, tally in measure.nodes.items()],
            "picks": [{"pointer": pointer_of(path), "counts": counts} for path, counts in measure.picks.items()],
            "branches": _named(spread.branches),
            "kinds": _named(spread.kinds),
            "ages": _named(spread.ages),
            "worlds": _named([(code.removeprefix(f"{WORLD_GROUP}-"), count) for code, count in spread.worlds]),
            "reach": [{"channel": one.value, "known": known, "allowed": may} for one, known, may in reached],
        }
        return Response(FiguresSerializer(told).data)

    @extend_schema(responses=ProfileSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def profile(self, request: Request, pk: str) -> Response:
        """Which labels the customers of the selection have more often than everybody, and which less, now."""
        now = clock()
        return Response(ProfileSerializer(profile_of(checked(self.get_object().rule, now=now), now=now)).data)


def _part(pointer: str, tally: figures.Tally) -> dict[str, Any]:
    names = ("alone", "up_to_here", "removed", "added")
    return {"pointer": pointer, **{name: getattr(tally, name) for name in names}}


def _named(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in counts]
