"""How moderators name a post, and how they are refused."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from domain.ids import local_id

_MAX_DIGITS = 19
"""Of a 64-bit number."""
PostId = Annotated[str, typer.Argument(metavar="POST_ID", help="The post's id as the API gives it, or its number.")]


def to_number(post_id: str) -> int | None:
    """The number of a post by either name; None for what is neither."""
    is_number = post_id.isascii() and post_id.isdigit() and len(post_id) <= _MAX_DIGITS
    return int(post_id) if is_number else local_id(post_id, "Post")


def refuse(reason: str) -> NoReturn:
    """Ends the command with status 1, and says why."""
    typer.echo(f"tidings moderate: {reason}", err=True)
    raise typer.Exit(1)
