"""Loaders' batch functions: what goes in, and what has to come out. Messages are aiodataloader's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql_compiler.faults import refuse
from graphql_compiler.passing import passes_on

_RULE = "DataLoader must be constructed with a function which accepts Iterable<key> and returns Future<Iterable<value>>, "


def several(keys: Any) -> list[Any]:
    """The keys of a value that wants several. Raises TypeError."""
    if not isinstance(keys, Iterable):
        refuse(TypeError(f"The loader.load_many() function must be called with Iterable<key> but got: {keys}."))
    listed = list(keys)
    if None in listed:
        refuse(TypeError("The loader.load() function must be called with a value, but got: None."))
    return listed


@passes_on
async def awaited(batch_load_fn: Any, keys: list[Any]) -> Any:
    """What the batch function gives. Raises TypeError where it is no coroutine function, and what it raises."""
    made = batch_load_fn(keys)
    if not made or not hasattr(made, "__await__"):
        refuse(TypeError(f"{_RULE}but the function did not return a Coroutine: {made}."))
    return await made


def checked(keys: list[Any], values: Any) -> list[Any]:
    """A value for each key. Raises TypeError."""
    if values.__class__ is not list and not isinstance(values, Iterable):
        refuse(TypeError(f"{_RULE}but the function did not return a Future of a Iterable: {values}."))
    listed = list(values)
    if len(listed) != len(keys):
        refuse(
            TypeError(
                f"{_RULE}but the function did not return a Future of a Iterable with the same length as the Iterable of keys."
                f"\n\nKeys:\n{keys}\n\nValues:\n{listed}"
            )
        )
    return listed
