"""`tidings moderate`: what moderators do to accounts and posts."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.moderate_posts import PostId, refuse, to_number
from app.cli.moderate_reports import dismiss, reports
from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from domain.moderation import ModerationChange
from settings import Settings

Username = Annotated[str, typer.Argument(help="Whose account, without regard to case.")]


def register(app: typer.Typer) -> None:
    moderate = typer.Typer(no_args_is_help=True, help="Suspend and restore accounts, remove posts, deal with reports.")
    moderate.command("suspend")(suspend)
    moderate.command("restore")(restore)
    moderate.command("shadow-ban")(shadow_ban)
    moderate.command("remove")(remove)
    moderate.command("reports")(reports)
    moderate.command("dismiss")(dismiss)
    app.add_typer(moderate, name="moderate")


def suspend(username: Username, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Hide an account and all its posts from everybody, at once."""
    _change(username, ModerationChange.SUSPEND, data_dir, done="is suspended")


def restore(username: Username, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Lift a suspension and a shadow-ban."""
    _change(username, ModerationChange.RESTORE, data_dir, done="is restored")


def shadow_ban(username: Username, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Hide an account and all its posts from everybody but itself."""
    _change(username, ModerationChange.SHADOW_BAN, data_dir, done="is shadow-banned")


def remove(post_id: PostId, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Delete a post, as its author could, and close its reports."""
    number = to_number(post_id)
    if number is None:
        refuse(f"no such post: {post_id}")

    async def work(settings: Settings) -> bool:
        from bootstrap import open_backends
        from services.moderation.remove_post import remove_post

        async with open_backends(settings, is_background=True) as backends:
            return await remove_post(backends, post_id=number)

    if not with_servers(data_dir, "moderate remove", work):
        refuse(f"no such post: {post_id}")
    typer.echo(f"post {post_id} is removed")


def _change(username: str, change: ModerationChange, data_dir: DataDir, *, done: str) -> None:
    async def work(settings: Settings) -> bool:
        from bootstrap import open_backends
        from services.moderation.moderate_account import moderate_account

        async with open_backends(settings, is_background=True) as backends:
            return await moderate_account(backends, username=username, change=change)

    if not with_servers(data_dir, "moderate", work):
        refuse(f"no such user: {username}")
    typer.echo(f"{username} {done}")
