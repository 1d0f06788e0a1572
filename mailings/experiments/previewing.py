"""How a version looks to its readers: as it would leave now, or as it was frozen when its mailing started."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from customers.models import Purpose
from mailings.experiments.arms import content_of, in_arm
from mailings.models import Arm
from mailings.previewing import Preview, preview_content
from mailings.recipients import samples_of_blocks
from mailings.rendering import in_style_of


def preview_arm(arm: Arm, *, purpose: Purpose, now: dt.datetime) -> Preview:
    """Return the message of a version with examples in its fields; raises Refused when a block is gone."""
    preview = preview_content(content_of(arm), purpose=purpose, now=now)
    mailing = arm.experiment.mailing
    if mailing is None:
        return preview
    compiled = in_style_of(in_arm(mailing.compiled, arm.compiled), None)
    values = {f"link:{position}": url for position, url in enumerate(mailing.compiled["links"])}
    samples = samples_of_blocks(compiled, medium="email")
    return replace(preview, compiled=compiled, values={**preview.values, **samples, **values})
