"""What a copied page depends on, by name: when the subject changes, what was shown under it must not be shown any more.

Whoever changes one names it in the transaction (`WriteSession.touch`); copies of pages name the subjects of each entry. A
relation is one direction: how the first account stands to the second one, as the first is shown it.
"""

from __future__ import annotations


def post(post_id: int) -> str:
    """Its text, its visibility, and that it exists."""
    return f"p{post_id}"


def account(user_id: int) -> str:
    """Its profile, and what moderators decided."""
    return f"u{user_id}"


def relation(viewer_id: int, other_id: int) -> str:
    """Follow with its settings, kept history, request, block and mute, as far as they matter to the viewer."""
    return f"r{viewer_id}:{other_id}"


def relations(one_id: int, other_id: int) -> tuple[str, str]:
    """Both directions: of whatever both of them may notice."""
    return relation(one_id, other_id), relation(other_id, one_id)


def share(sharer_id: int, root_id: int) -> str:
    """That somebody has passed a post on without words."""
    return f"s{sharer_id}:{root_id}"


def hashtag_follow(viewer_id: int, hashtag_id: int) -> str:
    """That the viewer follows a hashtag."""
    return f"h{viewer_id}:{hashtag_id}"


def preferences(viewer_id: int) -> str:
    """What the viewer wants the feed to be like."""
    return f"f{viewer_id}"


def position(viewer_id: int) -> str:
    """How far the viewer has read; matters where what was seen is hidden."""
    return f"l{viewer_id}"


def marks(viewer_id: int, root_id: int) -> str:
    """Whether the viewer likes a post, whether they keep it, and what they have said under it."""
    return f"m{viewer_id}:{root_id}"
