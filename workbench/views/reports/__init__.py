"""Reports of mailings: their figures, the people behind them, and the click map."""

from django.urls import path
from django.views.decorators.clickjacking import xframe_options_sameorigin

from workbench.views.reports.base import ABOUT
from workbench.views.reports.clicks import ClickFrame, ClickPage
from workbench.views.reports.people import ReportExport, ReportPeople
from workbench.views.reports.report import ReportFile, ReportPage

urlpatterns = [
    path("mailings/<int:pk>/clicks/", ClickPage.as_view(), name="mailing_clicks"),
    path(
        "mailings/<int:pk>/clicks/frame/", xframe_options_sameorigin(ClickFrame.as_view()), name="mailing_click_frame"
    ),
]
for _what in ABOUT:
    _start, _about = f"{_what}s/<int:pk>/report/", {"what": _what}
    urlpatterns += [
        path(_start, ReportPage.as_view(), _about, name=f"{_what}_report"),
        path(f"{_start}people/", ReportPeople.as_view(), _about, name=f"{_what}_report_people"),
        path(f"{_start}people/export/", ReportExport.as_view(), _about, name=f"{_what}_report_export"),
        path(f"{_start}figures.csv", ReportFile.as_view(), {**_about, "suffix": "csv"}, name=f"{_what}_report_csv"),
        path(f"{_start}figures.xlsx", ReportFile.as_view(), {**_about, "suffix": "xlsx"}, name=f"{_what}_report_xlsx"),
    ]
