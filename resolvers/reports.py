"""Reports of posts."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.errors import Refusal, RefusedError
from domain.ids import local_id
from domain.moderation import ReportReason
from resolvers.context import OperationContext
from services.moderation.report_post import report_post as report_post_use_case

_NO_POST = 0
"""No post has this number: an id that is none goes the same way as one that is unknown."""


@dataclass(frozen=True, slots=True)
class ReportPayload:
    """The answer of a mutation on reports."""

    accepted: bool
    user_errors: list[Refusal] = field(default_factory=list)


async def report_post(context: OperationContext, *, post_id: str, reason: ReportReason, comment: str) -> ReportPayload:
    viewer_id = context.require_viewer_id()
    number = local_id(post_id, "Post") or _NO_POST
    try:
        await report_post_use_case(context.backends, reporter_id=viewer_id, post_id=number, reason=reason, comment=comment)
    except RefusedError as error:
        return ReportPayload(accepted=False, user_errors=list(error.refusals))
    return ReportPayload(accepted=True)
