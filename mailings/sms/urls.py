"""The short addresses in text messages. No log-in: the signed code is the key, and opens only its own door."""

from django.urls import path

from mailings.sms import views

app_name = "sms"

urlpatterns = [path("<str:code>", views.ShortLinkView.as_view(), name="short")]
