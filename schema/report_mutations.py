"""Mutations on reports: one input, one payload each."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.moderation import ReportReason
from resolvers import reports
from resolvers.context import Info
from resolvers.reports import ReportPayload
from schema.inputs import INPUT
from schema.interfaces import UserError
from schema.payloads import ERRORS
from schema.records import represents


@strawberry.input(description="A post that should not be here.")
class ReportPostInput:
    post_id: strawberry.ID = strawberry.field(description="The post. Of a share without words, what it shares.")
    reason: ReportReason = strawberry.field(description="What is wrong with it.")
    comment: str | None = strawberry.field(default="", description="More about it, at most 1,000 characters; may be blank.")


@represents(ReportPayload)
@strawberry.type(description="The answer to reportPost.")
class ReportPostPayload:
    accepted: bool = strawberry.field(description="Whether the moderators are told, now or by an earlier report of the viewer.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _report_post(info: Info, input: Annotated[ReportPostInput, INPUT]) -> ReportPayload:  # noqa: A002
    return await reports.report_post(info.context, post_id=input.post_id, reason=input.reason, comment=input.comment or "")


@strawberry.type
class ReportMutations:
    report_post = strawberry.mutation(
        resolver=_report_post,
        graphql_type=ReportPostPayload | None,
        description="Tells the moderators of a post, once. Nobody else is told.",
    )
