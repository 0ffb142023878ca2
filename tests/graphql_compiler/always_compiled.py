"""Compiles every operation at its first use: `pytest -p tests.graphql_compiler.always_compiled` runs any test that way."""

from __future__ import annotations

from graphql_compiler import CompiledOperations

CompiledOperations.__init__.__kwdefaults__["compile_at"] = 1  # type: ignore[index]
