"""The public addresses in messages. No log-in: the signed token is the key, and opens only its own door."""

from django.urls import path

from mailings import views
from mailings.sms.views import TextEventsView

app_name = "mailings"

urlpatterns = [
    path("c/<str:token>", views.ClickView.as_view(), name="click"),
    path("o/<str:token>.gif", views.OpenView.as_view(), name="open"),
    path("u/<str:token>", views.UnsubscribeView.as_view(), name="unsubscribe"),
    path("provider/<slug:provider>/", views.ProviderView.as_view(), name="provider"),
    path("sms/<str:secret>/", TextEventsView.as_view(), name="text_events"),
    path("q/<str:token>.png", views.QrView.as_view(), name="qr"),
    path("p/<uuid:key>", views.PictureView.as_view(), name="picture"),
]
