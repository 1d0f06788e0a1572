"""Routes of the API, version 1, with its description and an offline page to read it."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from api.permissions import MayReadDocumentation
from api.resources import (
    accountability,
    bounces,
    campaigns,
    changes,
    consents,
    contents,
    customers,
    facts,
    formats,
    imports,
    label_rules,
    label_settings,
    label_versions,
    mailings,
    merges,
    newsletters,
    notes,
    privacy,
    publications,
    purposes,
    quality,
    records,
    result_sets,
    selection_keeping,
    sources,
    vouchers,
    websites,
)
from api.views import Documentation

app_name = "api"

router = DefaultRouter()
router.include_format_suffixes = False  # one address for one thing; the Accept header tells the format
router.register("branches", customers.BranchViewSet, "branch")
router.register("worlds", customers.WorldViewSet, "world")
router.register("purposes", purposes.PurposeViewSet, "purpose")
router.register("customers", customers.CustomerViewSet, "customer")
router.register("changes", changes.ChangeViewSet, "change")
router.register("facts", facts.FactViewSet, "fact")
router.register("kinds", facts.FactKindViewSet, "kind")
router.register("web-tokens", websites.WebTokenViewSet, "web-token")
router.register("notes", notes.NoteViewSet, "note")
router.register("copies", privacy.CopyViewSet, "copy")
router.register("restrictions", privacy.RestrictionViewSet, "restriction")
router.register("erasures", privacy.ErasureViewSet, "erasure")
router.register("register", accountability.RegisterViewSet, "register")
router.register("retention-runs", accountability.RetentionViewSet, "retention-run")
router.register("imports", imports.ImportViewSet, "import")
router.register("formats", formats.FormatViewSet, "format")
router.register("sources", sources.SourceViewSet, "source")
router.register("feeds", sources.FeedViewSet, "feed")
router.register("records", records.RecordViewSet, "record")
router.register("labels", label_rules.LabelsWithRules, "label")
router.register("label-groups", label_versions.GroupsWithVersions, "label-group")
router.register("system-labels", label_settings.FamilyViewSet, "system-label")
router.register("computed-values", label_settings.ValueViewSet, "computed-value")
router.register("selections", selection_keeping.SelectionKeeping, "selection")
router.register("selection-folders", result_sets.FolderViewSet, "selection-folder")
router.register("result-sets", result_sets.ResultSetViewSet, "result-set")
router.register("voucher-definitions", vouchers.DefinitionViewSet, "definition")
router.register("vouchers", vouchers.VoucherViewSet, "voucher")
router.register("redemptions", vouchers.RedemptionViewSet, "redemption")
router.register("campaigns", campaigns.CampaignViewSet, "campaign")
router.register("newsletters", newsletters.NewsletterViewSet, "newsletter")
router.register("duplicates", merges.PairViewSet, "duplicate")
router.register("merges", merges.MergeViewSet, "merge")
router.register("quality", quality.QualityViewSet, "quality")
router.register("publications", publications.PublicationViewSet, "publication")
router.register("sign-ups", consents.SignUpViewSet, "sign-up")
router.register("bounces", bounces.BounceViewSet, "bounce")
router.register("contents", contents.ContentViewSet, "content")
router.register("mailings", mailings.MailingViewSet, "mailing")

documentation = {"permission_classes": [MayReadDocumentation]}

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(**documentation), name="schema"),
    path(
        "docs/",
        Documentation.as_view(url_name="api:schema", template_name="api/docs.html", **documentation),
        name="docs",
    ),
    path("", include(router.urls)),
]
