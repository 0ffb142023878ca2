"""Compiles GraphQL operations to Python functions. See README.md."""

from graphql_compiler.operations import CompiledOperations, Ready, Result
from graphql_compiler.protocol import BatchedField
from graphql_compiler.rendering import plain, write_json

__all__ = ["BatchedField", "CompiledOperations", "Ready", "Result", "plain", "write_json"]
