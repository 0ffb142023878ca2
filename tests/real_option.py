"""How much of the real data sets is looked at: a sample in every run, the whole of them with `--real=whole`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real",
        choices=("sample", "whole"),
        default="sample",
        help="how much of the real data sets is tested: a fixed sample (default), or every account and what takes minutes",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--real=whole`, leaves out the tests marked `real_data(whole_only=True)`."""
    if config.getoption("--real") == "whole":
        return
    left_out = [item for item in items if _is_whole_only(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_whole_only(item)]


def _is_whole_only(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("real_data")
    return marker is not None and bool(marker.kwargs.get("whole_only"))


@pytest.fixture(scope="session")
def is_whole(pytestconfig: pytest.Config) -> bool:
    """Whether every account is wanted instead of a sample."""
    return bool(pytestconfig.getoption("--real") == "whole")
