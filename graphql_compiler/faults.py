"""Tells mistakes of this package from what resolvers, scalars and records raise, by the place where an exception was raised."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from graphql_compiler.passing import is_passing, passes_on
from graphql_compiler.source import GENERATED

_HERE = str(Path(__file__).parent)


@passes_on
def refuse(error: Exception) -> NoReturn:
    """Raises what belongs into the answer: exceptions that are raised anywhere else in this package are mistakes of it."""
    raise error


def is_own_fault(failure: BaseException) -> bool:
    """Whether generated code or this package is what failed.

    In generated code only a missing name is one for sure: everything else may come from reading an attribute, or from a call.
    """
    at = failure.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None:
        return False
    code = at.tb_frame.f_code
    if code.co_filename.startswith(GENERATED):
        return isinstance(failure, NameError)
    return not is_passing(code) and code.co_filename.startswith(_HERE)
