"""The rules for what is published, asked before anything is written."""

from __future__ import annotations

from domain.errors import RefusalCode, refused
from services.backends import Backends
from services.protection.publication import Publication, PublicationKind

__all__ = ["Publication", "PublicationKind", "check_publication"]


async def check_publication(backends: Backends, publication: Publication) -> None:
    """Call it after the form of the text was checked, before the transaction.

    Raises RefusedError CONTENT_REJECTED, naming the first rule that refuses; UnavailableError where a rule cannot be asked that
    must not be passed over.
    """
    for rule in backends.publication_rules:
        fault = await rule.find_fault(publication)
        if fault is not None:
            backends.observer.publication_was_refused(rule=rule.name)
            raise refused(RefusalCode.CONTENT_REJECTED, f"{rule.name}: {fault}", "text")
