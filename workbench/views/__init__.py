"""One module per noun; each defines ``urlpatterns``, which workbench/urls.py collects."""
