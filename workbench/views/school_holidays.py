"""School holidays: which there are in each region, correcting them, and the region of the organisation."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import local_date
from customers.actions.calendar import remove_holiday, save_holiday, set_region
from customers.models import CalendarSettings, HolidayName, Region, SchoolHoliday
from workbench.base import ActionView, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.calendar import HolidayForm, RegionForm


def page() -> str:
    return reverse("workbench:school_holiday_list")


def crumbs() -> list[Any]:
    return [(gettext_lazy("School holidays"), page())]


def by_year() -> list[dict[str, Any]]:
    """Return per school year, the latest first, its holidays in the order of the year, each with one per region."""
    years = []
    rows = SchoolHoliday.objects.order_by("-school_year", "first_day")
    for year, holidays in groupby(rows, key=lambda holiday: holiday.school_year):
        known = {(holiday.name, holiday.region): holiday for holiday in holidays}
        names = [(name.label, [known.get((name.value, region.value)) for region in Region]) for name in HolidayName]
        years.append({"year": year, "next": year + 1, "rows": [row for row in names if any(row[1])]})
    return years


class HolidayList(TemplatePage):
    permission = "manage_selections"
    page_title = gettext_lazy("School holidays")
    template_name = "workbench/school_holidays_list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        settings, today = CalendarSettings.load(), local_date(self.now)
        ours = SchoolHoliday.objects.filter(region=settings.region)
        return super().get_context(
            settings=settings,
            regions=list(Region),
            years=by_year(),
            moments=[
                (_("Last"), ours.around(today, "last")),
                (_("Now"), ours.around(today, "this")),
                (_("Next"), ours.around(today, "next")),
            ],
            history=changes_of(settings) if CalendarSettings.objects.exists() else [],
            **extra,
        )


class RegionChange(FormPage[RegionForm]):
    permission = "manage_users"
    form_class = RegionForm
    page_title = gettext_lazy("Region")
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_initial(self) -> dict[str, Any]:
        return {"region": CalendarSettings.load().region}

    def perform(self, form: RegionForm) -> str:
        set_region(form.cleaned_data["region"], by=self.user)
        return page()


class HolidayFormPage(FormPage[HolidayForm]):
    abstract = True
    form_class = HolidayForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()


class HolidayAdd(HolidayFormPage):
    permission = "manage_users"
    page_title = gettext_lazy("New school holiday")

    def get_initial(self) -> dict[str, Any]:
        return {"region": CalendarSettings.load().region, "school_year": local_date(self.now).year}

    def perform(self, form: HolidayForm) -> str:
        save_holiday(None, **form.cleaned_data, by=self.user)
        return page()


class HolidayMixin(ObjectMixin[SchoolHoliday]):
    def get_queryset(self) -> QuerySet[SchoolHoliday]:
        return SchoolHoliday.objects.all()


class HolidayChange(HolidayMixin, HolidayFormPage):
    permission = "manage_users"
    template_name = "workbench/school_holidays_form.html"

    def get_title(self) -> str:
        return f"{str(self.object).capitalize()}, {self.object.get_region_display()}"

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in HolidayForm.base_fields}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: HolidayForm) -> str:
        save_holiday(self.object, **form.cleaned_data, by=self.user)
        return page()


class HolidayRemove(HolidayMixin, ActionView):
    permission = "manage_users"
    success_message = gettext_lazy("The school holiday has been removed.")

    def perform(self) -> str:
        remove_holiday(self.object, by=self.user)
        return page()


urlpatterns = [
    path("school-holidays/", HolidayList.as_view(), name="school_holiday_list"),
    path("school-holidays/region/", RegionChange.as_view(), name="school_holiday_region"),
    path("school-holidays/add/", HolidayAdd.as_view(), name="school_holiday_add"),
    path("school-holidays/<int:pk>/change/", HolidayChange.as_view(), name="school_holiday_change"),
    path("school-holidays/<int:pk>/remove/", HolidayRemove.as_view(), name="school_holiday_remove"),
]
