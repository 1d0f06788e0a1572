"""What the versions of a message say: the content that each of them is, and the pieces it was frozen into."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from customers.models import Purpose
from mailings.compiling import Compiled, Links, compile_content
from mailings.models import Arm, Content, Experiment, SendingSettings
from mailings.styles import Style

#: What belongs to the mailing as a whole and not to one version.
_SHARED = ("links",)


def content_of(arm: Arm) -> Content:
    """Return the content as readers of this version get it, not to be saved."""
    own = arm.content or arm.experiment.content
    return Content(
        pk=own.pk,
        name=own.name,
        subject=arm.subject or own.subject,
        preheader=own.preheader,
        blocks=own.blocks,
        version=own.version,
        updated_at=own.updated_at,
    )


def freeze_arms(
    experiment: Experiment, *, purpose: Purpose, identity: SendingSettings, styles: Mapping[int | None, Style]
) -> Compiled:
    """Compile each version, keep its pieces, and return those of the mailing: the first version's, with the links and
    blocks of all. What a block needs is made for the readers of its own version (``arm``).
    """
    links, blocks, arms = Links([]), [], experiment.versions
    for arm in arms:
        compiled = compile_content(content_of(arm), purpose=purpose, identity=identity, styles=styles, links=links)
        if arm.sender_name:
            _put_sender(compiled, arm.sender_name)
        own = {key: value for key, value in compiled.items() if key not in _SHARED}
        arm.compiled = own | {"of": content_of(arm).version}
        arm.save(update_fields=["compiled"])
        blocks += [{**one, "arm": arm.pk} for one in compiled["blocks"]]
    return {**arms[0].compiled, "links": links.urls, "blocks": [*arms[0].compiled["blocks"], *blocks]}


def _put_sender(compiled: Compiled, name: str) -> None:
    for part in (compiled, *compiled["styles"].values()):
        part["sender"] = {**part["sender"], "name": name}


def as_decided(compiled: Compiled, winner: Arm) -> Compiled:
    """Return the pieces of a mailing of which the rest gets this version; who got another keeps that."""
    of_arms = [one for one in compiled["blocks"] if one.get("arm")]
    return {**compiled, **winner.compiled, "blocks": [*winner.compiled["blocks"], *of_arms]}


def load_arms(arm_ids: Collection[int]) -> dict[int, Compiled]:
    """Return the pieces of these versions."""
    return dict(Arm.objects.filter(pk__in=arm_ids).values_list("pk", "compiled")) if arm_ids else {}


def in_arm(compiled: Compiled, own: Compiled | None) -> Compiled:
    """Return the pieces as readers of a version get them; None is who is in no test."""
    return {**compiled, **own} if own else compiled


def every_version(experiment: Experiment | None, compiled: Compiled) -> list[Mapping[str, Any]]:
    """Return the pieces of a mailing and of all its versions, to look through what any reader may see."""
    return [compiled, *(arm.compiled for arm in experiment.versions)] if experiment else [compiled]
