"""The page on which people read what the API can do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularSwaggerView


class Documentation(SpectacularSwaggerView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # In a browser one logs in; a program with a token is answered as everywhere in the API.
        if not request.user.is_authenticated and "Authorization" not in request.headers:
            return redirect_to_login(request.path)
        return super().dispatch(request, *args, **kwargs)
