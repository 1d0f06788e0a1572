"""What one knows of a customer besides his fields: his household, parents and children, what he paid, and who he turned
out to be.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, customer_field, user_of
from api.resources.merges import MergeSerializer
from common.time import clock, local_date, start_of_months
from customers.actions.guardians import add_guardian, end_guardian
from customers.facts import income
from customers.models import Customer, Fact, FactTotal, Guardianship, Merge, Source

MOST_AT_HOME = 500


class RelatedSerializer(serializers.ModelSerializer[Customer]):
    """Somebody who belongs to the customer."""

    class Meta:
        model = Customer
        fields = ["number", "first_name", "name_prefix", "last_name", "birth_date"]


class GuardianshipSerializer(serializers.Serializer[Any]):
    """Who answers for this customer, and for whom this customer answers."""

    guardians = RelatedSerializer(many=True)
    children = RelatedSerializer(many=True)


class GuardianSerializer(serializers.Serializer[Any]):
    """Who answers for the customer; ``source`` is a code of a source, without it the API itself."""

    guardian = customer_field()
    source = by_code(Source.objects.exclude(kind=Source.Kind.PRODUCT), required=False, default=None, allow_null=True)


class PaidSerializer(serializers.Serializer[Any]):
    """What was paid for one kind of activity, ever; older payments whose facts are gone count too."""

    kind = serializers.CharField()
    count = serializers.IntegerField()
    quantity = serializers.IntegerField()
    amount_cents = serializers.IntegerField()


class YearPaidSerializer(serializers.Serializer[Any]):
    """What was paid in a year, as far as the facts themselves are still kept."""

    year = serializers.IntegerField()
    amount_cents = serializers.IntegerField()


class ValueSerializer(serializers.Serializer[Any]):
    """What a customer paid: the amounts that sources told of kinds that are income; nothing is estimated."""

    amount_cents = serializers.IntegerField()
    kinds = PaidSerializer(many=True)
    years = YearPaidSerializer(many=True)


class ActiveMonthSerializer(serializers.Serializer[Any]):
    """How often the customer did something of a kind in a month, which is given by its first day."""

    kind = serializers.CharField()
    month = serializers.DateField()
    count = serializers.IntegerField()


class WorldCountSerializer(serializers.Serializer[Any]):
    """How much of what the customer did was of a world."""

    world = serializers.CharField()
    count = serializers.IntegerField()


class CustomerActivitySerializer(serializers.Serializer[Any]):
    """What the customer did from ``since`` on: per kind and month, and per world, the favourites first.

    Months and worlds without anything are left out, and so are facts that are not kept any more.
    """

    since = serializers.DateField()
    months = ActiveMonthSerializer(many=True)
    worlds = WorldCountSerializer(many=True)


class ActivityWishSerializer(serializers.Serializer[Any]):
    """Over how many months, of which the present one is the last."""

    months = serializers.IntegerField(required=False, default=24, min_value=1, max_value=120)


class KnownOfCustomer(viewsets.GenericViewSet[Any]):
    """Belongs to the resource of customers, which finds the customer by his number."""

    @extend_schema(responses=RelatedSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def household(self, request: Request, number: str) -> Response:
        """The others at this address, 500 at most."""
        customer = self.get_object()
        others = Customer.objects.filter(household=customer.household_id, household__isnull=False)
        found = others.exclude(pk=customer.pk).order_by("number")[:MOST_AT_HOME]
        return Response(RelatedSerializer(found, many=True).data)

    @extend_schema(responses=GuardianshipSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def guardians(self, request: Request, number: str) -> Response:
        """Parents or guardians, and children."""
        return Response(_family(self.get_object()))

    @extend_schema(request=GuardianSerializer, responses={201: GuardianshipSerializer})
    @guardians.mapping.post
    def add_guardian(self, request: Request, number: str) -> Response:
        """Record that another customer is a parent or guardian of this one."""
        child, guardian, source = self._child_and_guardian(request)
        add_guardian(child, guardian, by=user_of(request), now=clock(), source_code=source)
        return Response(_family(child), status=status.HTTP_201_CREATED)

    @extend_schema(request=GuardianSerializer, responses=GuardianshipSerializer)
    @action(detail=True, methods=["post"], url_path="guardians/end", pagination_class=None, filterset_class=None)
    def end_guardian(self, request: Request, number: str) -> Response:
        """Take away that another customer is a parent or guardian of this one; what he said stays in the ledger."""
        child, guardian, _source = self._child_and_guardian(request)
        bond = Guardianship.objects.filter(child=child, guardian=guardian).first()
        if bond is None:
            raise NotFound(_("Customer %s is not recorded as a parent of this customer.") % guardian.number)
        end_guardian(bond, by=user_of(request), now=clock())
        return Response(_family(child))

    def _child_and_guardian(self, request: Request) -> tuple[Customer, Customer, str]:
        child = self.get_object()
        wish = GuardianSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told_by = wish.validated_data["source"]
        return child, wish.validated_data["guardian"], told_by.code if told_by else "api"

    @extend_schema(responses=ValueSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def value(self, request: Request, number: str) -> Response:
        """What the customer paid, in all, per kind and per year."""
        customer, kinds = self.get_object(), income()
        paid = list(FactTotal.objects.filter(customer=customer, kind__in=kinds).exclude(amount_cents=0))
        years = Fact.objects.of(customer).by_year(kinds)
        told = {
            "amount_cents": sum(total.amount_cents for total in paid),
            "kinds": sorted(paid, key=lambda total: -total.amount_cents),
            "years": [{"year": year, "amount_cents": sum(cents.values())} for year, cents in years.items()],
        }
        return Response(ValueSerializer(told).data)

    @extend_schema(parameters=[ActivityWishSerializer], responses=CustomerActivitySerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def activity(self, request: Request, number: str) -> Response:
        """How often the customer did what, per month and per world: what the two charts on his page show."""
        wish = ActivityWishSerializer(data=request.query_params)
        wish.is_valid(raise_exception=True)
        start = start_of_months(clock(), wish.validated_data["months"])
        facts = Fact.objects.of(self.get_object())
        months = [
            {"kind": kind, "month": month, "count": count}
            for kind, counts in facts.by_month(since=start).items()
            for month, count in counts.items()
        ]
        worlds = [{"world": world, "count": count} for world, count in facts.by_world(since=start).items()]
        told = {"since": local_date(start), "months": months, "worlds": worlds}
        return Response(CustomerActivitySerializer(told).data)

    @extend_schema(responses=MergeSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def merges(self, request: Request, number: str) -> Response:
        """Every merge this customer had to do with, the latest first, also those that were undone."""
        merges = Merge.objects.about(self.get_object()).defer("before").order_by("-id")
        return Response(MergeSerializer(merges, many=True).data)


def _family(customer: Customer) -> Any:
    parents = Customer.objects.filter(wards__child=customer).order_by("number")
    children = Customer.objects.filter(guardianships__guardian=customer).order_by("number")
    return GuardianshipSerializer({"guardians": parents, "children": children}).data
