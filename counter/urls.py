"""Addresses of the counter."""

from django.urls import path

from counter import views

app_name = "counter"

urlpatterns = [
    path("", views.Index.as_view(), name="index"),
    path("vestiging/", views.ChooseBranch.as_view(), name="branch"),
    path("bonnetje/<int:pk>/", views.Receipt.as_view(), name="receipt"),
    path("terugdraaien/<int:pk>/", views.Reverse.as_view(), name="reverse"),
]
