from __future__ import annotations

from xml.etree import ElementTree

from bench.feed.load import Run
from bench.feed.report import median_figures, to_markdown, to_svg
from bench.feed.variants import OWN_VARIANTS, TIDINGS


def _run(api: float, rate: float = 100.0, failures: int = 0) -> Run:
    cpu = {"api": api, "valkey": 10.0, "postgresql": 20.0, "client": 5.0}
    return Run(rate=rate, p50_ms=1.0, p99_ms=2.0, cpu_us=cpu, answers=10, body_bytes=9_000.0, failures=failures)


def test_medians_and_ratios_are_those_of_the_runs() -> None:
    other = next(variant for variant in OWN_VARIANTS if variant is not TIDINGS)
    figures = [
        median_figures(TIDINGS, [_run(90), _run(100), _run(500)], [_run(100)]),
        median_figures(other, [_run(300, rate=25.0, failures=2)], []),
    ]
    table = to_markdown(figures, "a title")
    rows = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines()[4:]}
    assert rows[TIDINGS.title][:2] == ["100", "1.00"]
    assert rows[other.title][:2] == ["300", "3.00"]
    assert rows[other.title][6:8] == ["25 (2 failed)", "4.00"]
    assert rows[TIDINGS.title][10] == "2.0"
    assert rows[other.title][10] == ""


def test_the_plot_is_well_formed() -> None:
    figures = [median_figures(variant, [_run(100)], []) for variant in OWN_VARIANTS]
    plot = ElementTree.fromstring(to_svg(figures, "fewer than < 1 & more"))
    assert plot.tag.endswith("svg")
