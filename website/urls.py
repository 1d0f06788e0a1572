"""The address that websites send to."""

from django.urls import path

from website import views

app_name = "website"

urlpatterns = [path("hit/", views.hit, name="hit")]
