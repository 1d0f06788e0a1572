"""What customers allow: the present states, the ledger, and sign-ups of people who may be strangers."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.permissions import MayManagePrivacy
from api.resources.fields import CustomerField, branch_field, by_code, paged, user_of
from api.resources.moments import MomentField
from common.time import clock
from customers.consents import ANSWERS, PROFILING, record_consent, states_of
from customers.models import Channel, Consent, Customer, LedgerCheck, Purpose, Source
from labels.actions import take_profiling_labels
from mailings.tasks import send_confirmations
from newsletter.actions import sign_up
from newsletter.models import Newsletter

MOST_EVIDENCE = 4000  # bytes of JSON
SLACK = dt.timedelta(minutes=5)  # by which the clock of another system may be ahead of ours


class ConsentStateSerializer(serializers.Serializer[Any]):
    """The present state for one purpose over one channel, with the reason in words.

    ``asks_guardian``: the customer is under 16 and only a parent can say yes to this.
    """

    purpose = serializers.CharField(source="purpose.code")
    channel = serializers.ChoiceField(choices=Channel.choices)
    allowed = serializers.BooleanField(source="is_allowed")
    verdict = serializers.CharField()
    basis = serializers.CharField()
    explanation = serializers.CharField()
    asks_guardian = serializers.BooleanField()


class AsOfSerializer(serializers.Serializer[Any]):
    """Which moment is asked for; without ``as_of`` it is now."""

    as_of = MomentField(required=False)

    def validate_as_of(self, value: dt.datetime) -> dt.datetime:
        """Refuse what is still to come: nobody knows what is said then."""
        if value > clock():
            raise serializers.ValidationError(_("This lies in the future."))
        return value


class ConsentEventSerializer(serializers.Serializer[Any]):
    """An event for the ledger; ``event_at`` is when the customer said it, not when it was sent here.

    ``guardian`` is the customer number of the parent who said it for a child. Under 16 a yes over e-mail, phone or SMS
    counts only with one (AVG 8), and is refused without: ``needs_guardian``.
    """

    purpose = by_code(Purpose.objects.all())
    channel = serializers.ChoiceField(choices=Channel.choices)
    state = serializers.ChoiceField(choices=Consent.State.choices, help_text="Not retracted: an import takes back.")
    source = by_code(Source.objects.all())
    event_at = serializers.DateTimeField()
    guardian = CustomerField(
        slug_field="number", queryset=Customer.objects.all(), required=False, allow_null=True, default=None
    )
    wording_version = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    evidence = serializers.DictField(required=False, default=dict)

    def validate_event_at(self, value: dt.datetime) -> dt.datetime:
        """Refuse what was not said yet."""
        if value > clock() + SLACK:
            raise serializers.ValidationError(_("This lies in the future."))
        return value

    def validate_state(self, value: str) -> str:
        """Refuse what nobody says: that a row was taken back."""
        if value not in ANSWERS:
            raise serializers.ValidationError(_("This channel or answer does not exist."))
        return value

    def validate_evidence(self, value: dict[str, Any]) -> dict[str, Any]:
        """Refuse what the ledger cannot hold, and more than proof."""
        try:
            text = json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            text = b"\\u0000"
        if rb"\u0000" in text:
            raise serializers.ValidationError(_("This contains characters that cannot be stored."))
        if len(text) > MOST_EVIDENCE:
            raise serializers.ValidationError(_("The evidence is too long: at most 4,000 characters."))
        return value


class LedgerSerializer(serializers.ModelSerializer[Consent]):
    """A row of the ledger. ``guardian`` is the number of the parent who answered; ``retracts`` the id of the row that
    this one takes back; ``hash`` covers the row and the hash of the row before it of this ``subject_id``.
    """

    purpose = by_code()
    source = by_code()
    guardian = serializers.CharField(source="guardian_number", allow_null=True)
    hash = serializers.SerializerMethodField()

    class Meta:
        model = Consent
        fields = [
            "id", "purpose", "channel", "state", "source", "actor", "guardian", "wording_version", "evidence",
            "event_at", "received_at", "retracts", "subject_id", "position", "hash",
        ]  # fmt: skip

    def get_hash(self, consent: Consent) -> str:
        """Return it as hexadecimal digits."""
        return bytes(consent.hash).hex()


class ConsentsOfCustomer(viewsets.GenericViewSet[Any]):
    """What hangs below one customer about consents."""

    @extend_schema(parameters=[AsOfSerializer], responses=ConsentStateSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def consents(self, request: Request, number: str) -> Response:
        """What holds for each purpose and channel, and why: now, or as it was at a moment (``as_of``)."""
        asked = AsOfSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        moment = asked.validated_data.get("as_of") or clock()
        return Response(ConsentStateSerializer(states_of(self.get_object(), now=moment), many=True).data)

    @extend_schema(request=ConsentEventSerializer, responses={201: ConsentStateSerializer(many=True)})
    @consents.mapping.post
    def record_consent(self, request: Request, number: str) -> Response:
        """Add an event to the ledger; the present states come back. Sending the same event again adds nothing."""
        customer, now = self.get_object(), clock()
        event = ConsentEventSerializer(data=request.data)
        event.is_valid(raise_exception=True)
        fields = dict(event.validated_data)
        source = fields.pop("source")
        with transaction.atomic():
            record_consent(customer, source_code=source.code, actor=user_of(request).get_username(), **fields)
            if fields["purpose"].code == PROFILING and fields["state"] != Consent.State.GRANTED:
                take_profiling_labels(customer, now=now)
        states = ConsentStateSerializer(states_of(customer, now=now), many=True)
        return Response(states.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=LedgerSerializer(many=True))
    @action(detail=True, filterset_class=None, url_path="consents/ledger")
    def consent_ledger(self, request: Request, number: str) -> Response:
        """Everything that was ever said, the latest first; nothing in it is changed or removed."""
        ledger = Consent.objects.filter(customer=self.get_object()).select_related("purpose", "source")
        parent = Customer.everyone.filter(pk=OuterRef("guardian_id")).values("number")
        rows = ledger.annotate(guardian_number=Subquery(parent)).order_by("-event_at", "-pk")
        return paged(self, rows, LedgerSerializer)


class SignUpSerializer(serializers.Serializer[Any]):
    """Who signs up for which newsletter, through which source, and the version of the words he agreed to."""

    newsletter = serializers.PrimaryKeyRelatedField(queryset=Newsletter.objects.select_related("purpose"))
    email = serializers.EmailField(max_length=254)
    first_name = serializers.CharField(required=False, allow_blank=True, max_length=80, default="")
    name_prefix = serializers.CharField(required=False, allow_blank=True, max_length=20, default="")
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    branch = branch_field()
    source = by_code(Source.objects.all())
    wording_version = serializers.CharField(max_length=40)
    network_address = serializers.IPAddressField(
        required=False, default="", help_text="Of the visitor; kept as the network it lies in."
    )


class AcceptedSerializer(serializers.Serializer[Any]):
    """The sign-up was taken in; the same for an address that is known and one that is not."""

    accepted = serializers.BooleanField()


class SignUpViewSet(viewsets.GenericViewSet[Any]):
    serializer_class = SignUpSerializer
    queryset = Newsletter.objects.none()

    @extend_schema(request=SignUpSerializer, responses={202: AcceptedSerializer})
    def create(self, request: Request) -> Response:
        """Sign somebody up. He gets a mail with a link, and counts once he has confirmed (double opt-in)."""
        wish = SignUpSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        fields = dict(wish.validated_data)
        newsletter, source = fields.pop("newsletter"), fields.pop("source")
        sign_up(newsletter, source_code=source.code, actor=user_of(request).get_username(), now=clock(), **fields)
        transaction.on_commit(send_confirmations.delay, robust=True)
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)


class LedgerCheckSerializer(serializers.ModelSerializer[LedgerCheck]):
    """One look at the whole ledger. ``broken`` names rows whose chain does not hold: [[id, what], …], 1,000 at most."""

    class Meta:
        model = LedgerCheck
        fields = ["started_at", "finished_at", "row_count", "broken_count", "missing_count", "is_whole", "broken"]


class LedgerCheckViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Whether every chain of the ledger of consents holds, as each night looks, the latest first."""

    queryset = LedgerCheck.objects.order_by("-id")
    serializer_class = LedgerCheckSerializer
    permission_classes = [MayManagePrivacy]
    filterset_class = None
