"""Marks functions of this package that call or await what is not ours."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_passing: set[CodeType] = set()


def passes_on(function: F) -> F:
    """What is raised there need not be a mistake of this package."""
    _passing.add(function.__code__)
    return function


def is_passing(code: CodeType) -> bool:
    """Whether a function with that code was marked."""
    return code in _passing
