"""Post that came back: made for a scanner, one letter after another."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from mailings import actions
from mailings.models import PostReturn
from workbench.base import ActionView, FormPage, ObjectMixin
from workbench.forms.letters import ReturnForm

SHOWN = 30


class PostReturnPage(FormPage[ReturnForm]):
    """After each letter the page comes back with the same reason and an empty field, ready for the next."""

    permission = "change_customers"
    form_class = ReturnForm
    template_name = "workbench/post_returns.html"
    page_title = _("Returned post")
    submit_label = _("Note it")

    def get_initial(self) -> dict[str, Any]:
        reason = self.request.GET.get("reason", "")
        return {"reason": reason if reason in PostReturn.Reason.values else PostReturn.Reason.UNKNOWN}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        found = PostReturn.objects.select_related("customer", "message__mailing", "recorded_by")
        return super().get_context(returns=found[:SHOWN], **extra)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """After a refusal the field is empty again: a scanner would write the next code behind the last."""
        form = self.make_form()
        if not form.is_valid():
            return self.render(status=422, form=form)
        try:
            return self.go(self.perform(form))
        except Refused as refused:
            said = form.cleaned_data
            fresh = ReturnForm(initial={"reason": said["reason"]})
            return self.render(status=422, form=fresh, problem=str(refused), code=said["code"])

    def perform(self, form: ReturnForm) -> str:
        noted = actions.record_return(**form.cleaned_data, by=self.user, now=self.now)
        names = ", ".join(str(one.customer) for one in noted)
        if all(one.was_old_address for one in noted):
            words = gettext("Noted for %(names)s. The address was another one then, so nothing changes now.")
        else:
            words = ngettext(
                "Noted for %(names)s: no letter goes to this address until it changes.",
                "Noted for %(names)s: no letter goes to their address until it changes.",
                len(noted),
            )
        messages.success(self.request, words % {"names": names})
        return f"{reverse('workbench:post_return_list')}?{urlencode({'reason': form.cleaned_data['reason']})}"


class PostReturnUndo(ObjectMixin[PostReturn], ActionView):
    permission = "change_customers"
    success_message = _("Taken back.")

    def get_queryset(self) -> QuerySet[PostReturn]:
        return PostReturn.objects.all()

    def perform(self) -> str:
        actions.undo_return(self.object, by=self.user, now=self.now)
        return reverse("workbench:post_return_list")


urlpatterns = [
    path("returned-post/", PostReturnPage.as_view(), name="post_return_list"),
    path("returned-post/<int:pk>/undo/", PostReturnUndo.as_view(), name="post_return_undo"),
]
