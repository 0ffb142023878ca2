"""What `tidings dev` shows when everything runs."""

from __future__ import annotations

_WIDTH = 64


def welcome(address: str, username: str, token: str, encoding: str) -> str:
    """The box with addresses and a token. Open to the right, so that the token stays in one piece and can be copied."""
    lines = [
        ("GraphiQL", f"{address}/graphql"),
        ("start page", f"{address}/"),
        ("health", f"{address}/readyz"),
        ("metrics", f"{address}/metrics"),
        ("user", username),
        ("token", token),
    ]
    top, side, bottom, dash = "┌│└─" if _can_write("┌│└─", encoding) else "+|+-"
    title = f"{top}{dash} Tidings "
    box = [title + dash * (_WIDTH - len(title))]
    box += [f"{side} {name:<10} {value}" for name, value in lines]
    box += [bottom + dash * (_WIDTH - 1)]
    return "\n".join(box) + "\n"


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
