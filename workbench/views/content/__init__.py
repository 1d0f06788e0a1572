"""The editor of a message: its subject, its blocks with their audiences, its versions, and how it looks to whom."""

from workbench.views.content import blocks, checks, drafts, editor, previews, saved, versions

PARTS = (editor, blocks, checks, drafts, saved, versions, previews)
urlpatterns = [pattern for part in PARTS for pattern in part.urlpatterns]
