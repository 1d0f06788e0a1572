"""Addresses of MijnMenu."""

from django.urls import path

from mijnmenu.views import choices, details, entrance, interests, privacy, sign_up, vouchers, websites

app_name = "mijnmenu"

urlpatterns = [
    path("", choices.Overview.as_view(), name="index"),
    path("enter/<str:token>/", entrance.Enter.as_view(), name="enter"),
    path("link/", entrance.AskLink.as_view(), name="link"),
    path("uitloggen/", entrance.Leave.as_view(), name="leave"),
    path("voorkeuren/", choices.Preferences.as_view(), name="preferences"),
    path("voorkeuren/eerder/", choices.Said.as_view(), name="said"),
    path("nieuwsbrieven/", choices.Newsletters.as_view(), name="newsletters"),
    path("kinderen/", choices.Children.as_view(), name="children"),
    path("kinderen/<int:pk>/", choices.ChildPreferences.as_view(), name="child_preferences"),
    path("aanmelden/", sign_up.SignUpList.as_view(), name="sign_up_list"),
    path("aanmelden/bevestigen/", sign_up.ConfirmSignUp.as_view(), name="confirm_sign_up"),
    path("aanmelden/bevestigen/<str:token>/", sign_up.ConfirmLink.as_view(), name="confirm_link"),
    path("aanmelden/<slug:code>/", sign_up.SignUp.as_view(), name="sign_up"),
    path("interesses/", interests.Interests.as_view(), name="interests"),
    path("interesses/<slug:code>/weghalen/", interests.TakeOff.as_view(), name="take_off"),
    path("afmelden/", choices.Objection.as_view(), name="objection"),
    path("bonnen/", vouchers.VoucherList.as_view(), name="vouchers"),
    path("bonnen/<int:pk>/", vouchers.OneVoucher.as_view(), name="voucher"),
    path("bonnen/<int:pk>/pdf/", vouchers.VoucherPdf.as_view(), name="voucher_pdf"),
    path("website/<int:pk>/", websites.GoToWebsite.as_view(), name="website"),
    path("gegevens/", details.Details.as_view(), name="details"),
    path("gegevens/nieuwe-link/", details.FreshLink.as_view(), name="fresh_link"),
    path("gegevens/adres/<str:token>/", details.AddressLink.as_view(), name="address_link"),
    path("gegevens/bevestigen/", details.ConfirmAddress.as_view(), name="confirm_address"),
    path("gegevens/wijzigen/", privacy.Rectify.as_view(), name="rectify"),
    path("privacy/", privacy.Privacy.as_view(), name="privacy"),
    path("privacy/kopie/", privacy.CopyAsk.as_view(), name="copy_ask"),
    path("privacy/kopie/<int:pk>/<slug:kind>/", privacy.CopyTake.as_view(), name="copy_take"),
    path("privacy/bezwaar/", privacy.ProfilingObjection.as_view(), name="profiling_objection"),
    path("privacy/beperken/", privacy.RestrictionAsk.as_view(), name="restrict"),
    path("privacy/beperken/opheffen/", privacy.RestrictionEnd.as_view(), name="unrestrict"),
    path("privacy/verwijderen/", privacy.ErasureAsk.as_view(), name="erasure_ask"),
    path("privacy/verwijderen/intrekken/", privacy.ErasureWithdraw.as_view(), name="erasure_withdraw"),
]
