"""The root of all addresses: composition only."""

import sys

from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from wise_marketing import views


def app_urls(prefix: str, module: str) -> list[URLPattern | URLResolver]:
    # Only while the house is being built: a face that is not there yet must not keep the others away.
    try:
        return [path(prefix, include(module))]
    except ImportError as error:
        print(f"{module} is left out: {error}", file=sys.stderr)
        return []


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/", views.healthz, name="healthz"),
    path("readyz/", views.readyz, name="readyz"),
    path("favicon.ico", views.favicon),
    path("language/", login_not_required(set_language), name="set_language"),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    *app_urls("m/", "mailings.urls"),
    *app_urls("mijn/", "mijnmenu.urls"),
    *app_urls("balie/", "counter.urls"),
    *app_urls("api/v1/", "api.urls"),
    *app_urls("", "workbench.urls"),
]

handler500 = "wise_marketing.views.server_error"
