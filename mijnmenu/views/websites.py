"""The way to a website of the organisation, which knows the customer there if he allows that."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from mijnmenu.views.base import CustomerView
from website.actions.linking import may_link
from website.models import Site
from website.tokens import make_web_token


class GoToWebsite(CustomerView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponseRedirect:
        site = get_object_or_404(Site.objects.with_pages().select_related("purpose"), pk=pk)
        address = site.address
        if may_link(self.customer, site.purpose, now=self.now):
            # Behind the #, so that no server on the way sees it.
            address += f"#wise={make_web_token(self.customer, now=self.now)}"
        return HttpResponseRedirect(address)
