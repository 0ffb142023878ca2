"""`tidings moderate reports` and `dismiss`: what people find wrong with posts, for moderators."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from app.cli.moderate_posts import PostId, refuse, to_number
from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from domain.ids import to_global_id
from domain.moderation import ReportedPost
from settings import Settings

_EXCERPT = 120
"""Code points of a text that are shown to a person."""


def reports(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON, texts in full.")] = False,
    is_all: Annotated[bool, typer.Option("--all", help="Also those that a moderator has dealt with.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many posts.")] = 100,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List reported posts, the newest report first. Deal with them by `remove` or `dismiss`."""

    async def work(settings: Settings) -> list[ReportedPost]:
        from bootstrap import open_backends
        from services.moderation.list_reported_posts import list_reported_posts

        async with open_backends(settings, is_background=True) as backends:
            return await list_reported_posts(backends, is_all=is_all, size=limit)

    found = with_servers(data_dir, "moderate reports", work)
    if as_json:
        typer.echo(json.dumps([_as_json(post) for post in found]))
    elif not found:
        typer.echo("no reports" if is_all else "no open reports")
    else:
        typer.echo("\n\n".join(_as_text(post) for post in found))


def dismiss(post_id: PostId, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Close the reports of a post, which stays."""
    number = to_number(post_id)

    async def work(settings: Settings) -> int:
        from bootstrap import open_backends
        from services.moderation.dismiss_reports import dismiss_reports

        async with open_backends(settings, is_background=True) as backends:
            return await dismiss_reports(backends, post_id=number if number is not None else -1)

    closed = with_servers(data_dir, "moderate dismiss", work)
    if not closed:
        refuse(f"no open reports of this post: {post_id}")
    typer.echo(f"{closed} {'report' if closed == 1 else 'reports'} of post {post_id} dismissed")


def _as_json(post: ReportedPost) -> dict[str, Any]:
    return {
        "postId": to_global_id("Post", post.post_id),
        "number": str(post.post_id),
        "author": post.author,
        "text": post.text,
        "state": _state(post),
        "count": post.count,
        "reasons": post.reasons,
        "comments": post.comments,
        "firstAt": post.first_at.isoformat(),
        "newestAt": post.newest_at.isoformat(),
    }


def _as_text(post: ReportedPost) -> str:
    reasons = ", ".join(f"{number} {reason.lower()}" for reason, number in sorted(post.reasons.items()))
    state = "" if _state(post) == "open" else f", {_state(post)}"
    lines = [
        f"{to_global_id('Post', post.post_id)}  @{post.author}  {post.newest_at:%Y-%m-%d %H:%M} UTC{state}",
        f"  {reasons}",
        f"  {_excerpt(post.text)}",
        *(f"  > {_excerpt(comment)}" for comment in post.comments),
    ]
    return "\n".join(lines)


def _state(post: ReportedPost) -> str:
    if post.is_deleted:
        return "removed"
    return "closed" if post.is_closed else "open"


def _excerpt(text: str) -> str:
    """One line of it, without what a terminal obeys."""
    shown = "".join(c if c.isprintable() else " " for c in text[: _EXCERPT + 1])
    return shown if len(text) <= _EXCERPT else shown[:_EXCERPT] + "…"
