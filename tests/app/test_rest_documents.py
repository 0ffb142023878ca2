"""The documents behind `/v1`: valid, named, small enough at their largest."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, OperationType

from app.rest_documents import DOCUMENTS, RestDocument
from domain.paging import MAX_PAGE_SIZE
from schema.execution import Engine


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.operation_name)
def test_each_is_one_named_operation(document: RestDocument) -> None:
    operation = Engine(has_introspection=False).prepare(document.query, None, {"limit": MAX_PAGE_SIZE})
    assert operation.name == document.operation_name
    assert isinstance(operation.node, OperationDefinitionNode)
    assert operation.type is not OperationType.SUBSCRIPTION
    assert len(operation.node.selection_set.selections) == 1


def test_each_is_another_one() -> None:
    assert len({document.operation_name for document in DOCUMENTS}) == len(DOCUMENTS)
