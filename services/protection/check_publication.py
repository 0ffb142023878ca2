"""The rules for what is published, asked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.backends import Backends


class PublicationKind(StrEnum):
    """What is about to be published."""

    POST = "post"
    QUOTE = "quote"
    EDIT = "edit"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Publication:
    """Words that somebody wants others to read. `mention_count`: different names that are mentioned."""

    kind: PublicationKind
    author_id: int
    body: str
    mention_count: int


async def check_publication(backends: Backends, publication: Publication) -> None:
    """Call it after the form of the text was checked, before the transaction. Raises RefusedError CONTENT_REJECTED."""
