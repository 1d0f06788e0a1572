"""Routes of the API, version 1, with its description and an offline page to read it."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from api.permissions import MayReadDocumentation
from api.resources import (
    accountability,
    actions,
    bounces,
    calls,
    campaigns,
    changes,
    consents,
    contents,
    customers,
    doubts,
    experiments,
    facts,
    formats,
    house_styles,
    imports,
    kinds,
    label_rules,
    label_settings,
    label_versions,
    letters,
    mailings,
    matching,
    merges,
    newsletters,
    notes,
    post_returns,
    privacy,
    publications,
    purposes,
    quality,
    records,
    relays,
    result_sets,
    saved_blocks,
    selection_keeping,
    sending,
    sources,
    texts,
    triggers,
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
router.register("kinds", kinds.FactKindViewSet, "kind")
router.register("websites", websites.SiteViewSet, "website")
router.register("web-statistics", websites.WebStatisticsViewSet, "web-statistic")
router.register("web-tokens", websites.WebTokenViewSet, "web-token")
router.register("notes", notes.NoteViewSet, "note")
router.register("copies", privacy.CopyViewSet, "copy")
router.register("restrictions", privacy.RestrictionViewSet, "restriction")
router.register("erasures", privacy.ErasureViewSet, "erasure")
router.register("register", accountability.RegisterViewSet, "register")
router.register("retention-rules", accountability.RetentionRuleViewSet, "retention-rule")
router.register("erasure-requests", privacy.ErasureRequestViewSet, "erasure-request")
router.register("ledger-checks", consents.LedgerCheckViewSet, "ledger-check")
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
router.register("actions", actions.ActionViewSet, "action")
router.register("triggers", triggers.TriggerViewSet, "trigger")
router.register("campaigns", campaigns.CampaignViewSet, "campaign")
router.register("newsletters", newsletters.NewsletterViewSet, "newsletter")
router.register("duplicates", merges.PairViewSet, "duplicate")
router.register("merges", merges.MergeViewSet, "merge")
router.register("quality", quality.QualityViewSet, "quality")
router.register("publications", publications.PublicationViewSet, "publication")
router.register("sign-ups", consents.SignUpViewSet, "sign-up")
router.register("bounces", bounces.BounceViewSet, "bounce")
router.register("blocked-addresses", bounces.SuppressionViewSet, "blocked-address")
router.register("doubts", doubts.DoubtViewSet, "doubt")
router.register("post-returns", post_returns.PostReturnViewSet, "post-return")
router.register("letter-batches", letters.LetterBatchViewSet, "letter-batch")
router.register("contents", contents.ContentViewSet, "content")
router.register("saved-blocks", saved_blocks.SavedBlockViewSet, "saved-block")
router.register("experiments", experiments.ExperimentViewSet, "experiment")
router.register("pictures", house_styles.PictureViewSet, "picture")
router.register("house-styles", house_styles.HouseStyleViewSet, "house-style")
router.register("calls", calls.CallViewSet, "call")
router.register("texts", texts.TextViewSet, "text")
router.register("sent-texts", texts.SentTextViewSet, "sent-text")
router.register("text-replies", texts.TextReplyViewSet, "text-reply")
router.register("mailings", mailings.MailingViewSet, "mailing")
router.register("message-limits", sending.MessageLimitViewSet, "message-limit")
router.register("closing-days", sending.ClosingDayViewSet, "closing-day")
router.register("mail-servers", relays.RelayViewSet, "mail-server")
router.register("mail-domains", relays.DomainLimitViewSet, "mail-domain")
router.register("signing-keys", relays.SigningKeyViewSet, "signing-key")

documentation = {"permission_classes": [MayReadDocumentation]}

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(**documentation), name="schema"),
    path(
        "docs/",
        Documentation.as_view(url_name="api:schema", template_name="api/docs.html", **documentation),
        name="docs",
    ),
    path(
        "match-settings/",
        matching.MatchSettingsViewSet.as_view({"get": "retrieve", "patch": "change"}),
        name="match-settings",
    ),
    path("sending-settings/", sending.SendingSettingsView.as_view(), name="sending-settings"),
    path("sending-settings/history/", sending.SendingHistoryView.as_view(), name="sending-settings-history"),
    path("call-settings/", sending.CallSettingsView.as_view(), name="call-settings"),
    path("call-settings/history/", sending.CallHistoryView.as_view(), name="call-settings-history"),
    path("text-settings/", sending.TextSettingsView.as_view(), name="text-settings"),
    path("text-settings/history/", sending.TextHistoryView.as_view(), name="text-settings-history"),
    path("", include(router.urls)),
]
