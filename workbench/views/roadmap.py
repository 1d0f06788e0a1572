"""The road from files to results: five steps, with how far we are."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _

from workbench.base import TemplatePage
from workbench.menu import address
from workbench.roadmap import roadmap


class Roadmap(TemplatePage):
    permission = "view_workbench"
    page_title = _("Step by step")
    template_name = "workbench/roadmap.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        steps = roadmap(self.now)
        current = next((step for step in steps if step.state != "done"), None)
        return super().get_context(
            steps=[
                {
                    "step": step,
                    "is_current": step is current,
                    "tasks": [{"task": task, "url": self._url_of(task)} for task in step.tasks],
                }
                for step in steps
            ],
            stepper=[
                {
                    "label": step.title,
                    "url": f"#step-{number}",
                    "state": "current" if step is current else step.state,
                    "sub": _("%(done)s of %(all)s done") % {"done": step.done, "all": len(step.tasks)},
                }
                for number, step in enumerate(steps, 1)
            ],
            **extra,
        )

    def _url_of(self, task: Any) -> str:
        return address(task.url_name) if self.user.has_perm(f"common.{task.permission}") else ""


urlpatterns = [path("steps/", Roadmap.as_view(), name="roadmap")]
