"""`tidings moderate`: what moderators do to accounts and posts."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from domain.ids import local_id
from domain.moderation import ModerationChange
from settings import Settings

_MAX_DIGITS = 19
"""Of a 64-bit number."""
Username = Annotated[str, typer.Argument(help="Whose account, without regard to case.")]


def register(app: typer.Typer) -> None:
    moderate = typer.Typer(no_args_is_help=True, help="Suspend and restore accounts, remove posts.")
    moderate.command("suspend")(suspend)
    moderate.command("restore")(restore)
    moderate.command("shadow-ban")(shadow_ban)
    moderate.command("remove")(remove)
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


def remove(
    post_id: Annotated[str, typer.Argument(metavar="POST_ID", help="The post's id as the API gives it, or its number.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Delete a post, as its author could."""
    is_number = post_id.isascii() and post_id.isdigit() and len(post_id) <= _MAX_DIGITS
    number = int(post_id) if is_number else local_id(post_id, "Post")
    if number is None:
        _refuse(f"no such post: {post_id}")

    async def work(settings: Settings) -> bool:
        from bootstrap import open_backends
        from services.moderation.remove_post import remove_post

        async with open_backends(settings, is_background=True) as backends:
            return await remove_post(backends, post_id=number)

    if not with_servers(data_dir, "moderate remove", work):
        _refuse(f"no such post: {post_id}")
    typer.echo(f"post {post_id} is removed")


def _change(username: str, change: ModerationChange, data_dir: DataDir, *, done: str) -> None:
    async def work(settings: Settings) -> bool:
        from bootstrap import open_backends
        from services.moderation.moderate_account import moderate_account

        async with open_backends(settings, is_background=True) as backends:
            return await moderate_account(backends, username=username, change=change)

    if not with_servers(data_dir, "moderate", work):
        _refuse(f"no such user: {username}")
    typer.echo(f"{username} {done}")


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"tidings moderate: {reason}", err=True)
    raise typer.Exit(1)
