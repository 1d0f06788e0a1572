"""The counter, ``/balie/``: take vouchers in with a scanner (a keyboard that ends with Enter), a queue waiting.

1. POST ``/balie/vestiging/`` with ``branch`` (code of the branch), once per session: 302 to ``/balie/``.
2. POST ``/balie/`` with ``code`` and optionally ``customer_number``: 200, the page shows ``data-outcome="offer"``; or
   409, ``data-outcome="refused"`` with the reason's code in ``data-reason``.
3. POST ``/balie/`` with the same fields and ``confirm=1``, ``order_amount`` ("12,50"; needed for a percentage or a
   special price) and ``idempotency_key`` (from the form of step 2; a key redeems once): 302 to the receipt,
   ``/balie/bonnetje/<id>/``, which shows ``data-outcome="redeemed"``; or 409 as in step 2; or 422 for a faulty field.
4. POST ``/balie/terugdraaien/<id>/`` with ``reason``, by who may reverse: 302 to ``/balie/``.

All are for signed-in staff who may redeem, and want a CSRF token. Step 3 may come without step 2.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import View

from common.errors import Refused
from common.time import clock, local_date, start_of_day
from counter.forms import CodeForm, RedeemForm, ReverseForm, new_key
from customers.models import Branch
from vouchers import actions
from vouchers.models import Attempt, Redemption

BRANCH = "counter_branch"  # in the session: the code of the branch where this counter stands
CHANNEL = "counter"
RECENT = 10


class CounterView(View):
    """Signed in and allowed; ``branch`` is where this counter stands, None until it was chosen."""

    permission = "redeem_vouchers"
    template_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(f"common.{self.permission}"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @cached_property
    def branch(self) -> Branch | None:
        return Branch.objects.filter(code=self.request.session.get(BRANCH, "")).first()

    def show(self, status: int = 200, **context: Any) -> HttpResponse:
        known = {"branch": self.branch, "may_reverse": self.user.has_perm("common.reverse_redemptions")}
        return render(self.request, self.template_name, {**known, **context}, status=status)


class Index(CounterView):
    template_name = "counter/index.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.branch is None:
            return redirect("counter:branch")
        return self.show_code()

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.branch is None:
            return redirect("counter:branch")
        return self.redeem() if request.POST.get("confirm") else self.check()

    def check(self) -> HttpResponse:
        form = CodeForm(self.request.POST)
        if not form.is_valid():
            return self.show_code(status=422, form=form)
        try:
            offer = self.look_up(form)
        except Refused as refused:
            return self.show_code(status=409, refused=refused)
        again = RedeemForm(initial={**form.cleaned_data, "idempotency_key": new_key()})
        return self.show_offer(offer, again)

    def redeem(self) -> HttpResponse:
        form = RedeemForm(self.request.POST)
        if not form.is_valid():
            return self.ask_again(form)
        sent = form.cleaned_data
        try:
            redemption = actions.redeem(
                sent["code"],
                branch=self.branch,
                staff=self.user,
                channel=CHANNEL,
                order_cents=sent["order_amount"],
                customer_number=sent["customer_number"],
                idempotency_key=f"counter:{self.user.pk}:{sent['idempotency_key']}",
                now=clock(),
            )
        except Refused as refused:
            if refused.code in Attempt.Reason.values:
                return self.show_code(status=409, refused=refused)
            form.add_error("order_amount", str(refused))
            return self.ask_again(form)
        return redirect("counter:receipt", redemption.pk)

    def look_up(self, form: BaseForm) -> actions.Offer:
        return actions.check(
            form.data["code"],
            branch=self.branch,
            staff=self.user,
            channel=CHANNEL,
            customer_number=form.data.get("customer_number", ""),
            now=clock(),
        )

    def ask_again(self, form: RedeemForm) -> HttpResponse:
        """Show step 2 with what is wrong in it; without a code there is no step 2."""
        if "code" in form.errors or "customer_number" in form.errors:
            return self.show_code(status=422, form=CodeForm(form.data))
        try:
            return self.show_offer(self.look_up(form), form, status=422)
        except Refused as refused:
            return self.show_code(status=409, refused=refused)

    def show_code(
        self, status: int = 200, form: CodeForm | None = None, refused: Refused | None = None
    ) -> HttpResponse:
        return self.show(status, form=form or CodeForm(), refused=refused, recent=recent(self.branch))

    def show_offer(self, offer: actions.Offer, form: RedeemForm, status: int = 200) -> HttpResponse:
        definition = offer.voucher.definition
        form.fields["order_amount"].required = definition.needs_order
        form.fields["order_amount"].widget.attrs["autofocus"] = True
        asks_amount = definition.needs_order or definition.benefit == definition.Benefit.FIXED
        self.template_name = "counter/offer.html"
        return self.show(status, offer=offer, definition=definition, form=form, asks_amount=asks_amount)


class ChooseBranch(CounterView):
    template_name = "counter/branch.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(branches=Branch.objects.all())

    def post(self, request: HttpRequest) -> HttpResponse:
        branch = Branch.objects.filter(code=request.POST.get("branch", "")).first()
        if branch is None:
            messages.error(request, _("Choose one of the branches."))
            return self.show(status=422, branches=Branch.objects.all())
        request.session[BRANCH] = branch.code
        return redirect("counter:index")


class _OneRedemption(CounterView):
    @cached_property
    def redemption(self) -> Redemption:
        return get_object_or_404(Redemption.objects.for_pages(), pk=self.kwargs["pk"])


class Receipt(_OneRedemption):
    template_name = "counter/receipt.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(redemption=self.redemption, form=CodeForm(), recent=recent(self.branch))


class Reverse(_OneRedemption):
    permission = "reverse_redemptions"
    template_name = "counter/reverse.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(redemption=self.redemption, form=ReverseForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReverseForm(request.POST)
        if not form.is_valid():
            return self.show(status=422, redemption=self.redemption, form=form)
        try:
            actions.reverse_redemption(
                self.redemption, reason=form.cleaned_data["reason"], staff=self.user, now=clock()
            )
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.show(status=409, redemption=self.redemption, form=form)
        messages.success(request, _("The voucher has been given back. It can be used again."))
        return redirect("counter:index")


def recent(branch: Branch | None) -> QuerySet[Redemption]:
    """Today's last redemptions of this counter."""
    today = start_of_day(local_date(clock()))
    return (
        Redemption.objects.for_pages()
        .filter(branch=branch, channel=CHANNEL, redeemed_at__gte=today)
        .order_by("-redeemed_at", "-id")[:RECENT]
    )
