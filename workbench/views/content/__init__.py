"""The editor of a message: its subject, its blocks with their audiences, and how it looks to whom."""

from workbench.views.content import blocks, checks, editor, previews

urlpatterns = [*editor.urlpatterns, *blocks.urlpatterns, *checks.urlpatterns, *previews.urlpatterns]
