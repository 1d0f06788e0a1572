"""The root of all addresses: composition only."""

from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from wise_marketing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/", views.healthz, name="healthz"),
    path("readyz/", views.readyz, name="readyz"),
    path("favicon.ico", views.favicon),
    path("language/", login_not_required(set_language), name="set_language"),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("m/", include("mailings.urls")),
    path("s/", include("mailings.sms.urls")),
    path("w/", include("website.urls")),
    path("mijn/", include("mijnmenu.urls")),
    path("balie/", include("counter.urls")),
    path("api/v1/", include("api.urls")),
    path("", include("workbench.urls")),
]

handler404 = "wise_marketing.views.not_found"
handler500 = "wise_marketing.views.server_error"
