"""The figures as a Markdown table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from bench.feed.load import Run
from bench.feed.variant import Variant
from bench.feed.variants import TIDINGS

PROCESSES = {"api": "API", "valkey": "Valkey", "postgresql": "PostgreSQL", "client": "client"}
_LABEL_LENGTH = 78
_FONT = 'font-family="sans-serif" font-size="13"'
_COLOURS = {"api": "#2f6db5", "valkey": "#c4483a", "postgresql": "#7d8ea3"}
_COLUMNS = (
    *("API µs", "×", "Valkey µs", "PostgreSQL µs", "all µs", "×"),
    *("req/s", "×", "p50 ms", "p99 ms", "p99 ms at half", "bytes", "client µs"),
)
_PLOT_WIDTH, _LABEL_WIDTH, _ROW, _BAR, _TOP = 1_100, 500, 34, 18, 64


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of one variant's rounds. `half_p99_ms`: at half of its own rate; None where that was not measured."""

    variant: Variant
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: dict[str, float]
    body_bytes: float
    half_p99_ms: float | None
    failures: int


def median_figures(variant: Variant, runs: Sequence[Run], half: Sequence[Run]) -> Figures:
    """Each figure's own median."""
    return Figures(
        variant=variant,
        rate=median(run.rate for run in runs),
        p50_ms=median(run.p50_ms for run in runs),
        p99_ms=median(run.p99_ms for run in runs),
        cpu_us={name: median(run.cpu_us[name] for run in runs) for name in PROCESSES},
        body_bytes=median(run.body_bytes for run in runs),
        half_p99_ms=median(run.p99_ms for run in half) if half else None,
        failures=sum(run.failures for run in (*runs, *half)),
    )


def to_markdown(figures: Sequence[Figures], title: str) -> str:
    """A table, one row a variant. Ratios: how many times Tidings' figure the variant's is (req/s: the other way round)."""
    tidings = next(one for one in figures if one.variant is TIDINGS)
    lines = [
        f"{title}.",
        "",
        "Processor time in µs an answer; × = times that of Tidings, and for requests: how many times as many Tidings answers.",
        "",
        f"| | {' | '.join(_COLUMNS)} |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    for one in sorted(figures, key=lambda each: each.cpu_us["api"], reverse=True):
        cpu, whole = one.cpu_us, _whole(one)
        half = f"{one.half_p99_ms:.1f}" if one.half_p99_ms is not None else ""
        cells = [
            one.variant.title,
            f"{cpu['api']:,.0f}",
            f"{cpu['api'] / tidings.cpu_us['api']:.2f}",
            f"{cpu['valkey']:,.0f}",
            f"{cpu['postgresql']:,.0f}",
            f"{whole:,.0f}",
            f"{whole / _whole(tidings):.2f}",
            f"{one.rate:,.0f}" + (f" ({one.failures} failed)" if one.failures else ""),
            f"{tidings.rate / one.rate:.2f}",
            f"{one.p50_ms:.1f}",
            f"{one.p99_ms:.1f}",
            half,
            f"{one.body_bytes:,.0f}",
            f"{cpu['client']:,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _whole(one: Figures) -> float:
    return sum(one.cpu_us[name] for name in ("api", "valkey", "postgresql"))


def to_svg(figures: Sequence[Figures], title: str) -> str:
    """A bar a variant, divided by process, the cheapest at the bottom."""
    ordered = sorted(figures, key=_whole, reverse=True)
    scale = (_PLOT_WIDTH - _LABEL_WIDTH - 90) / max(_whole(one) for one in ordered)
    height = _TOP + _ROW * len(ordered) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_PLOT_WIDTH} {height}" {_FONT}>',
        f'<rect width="{_PLOT_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="22" font-size="15">Processor time of one feed page, µs</text>',
        f'<text x="12" y="40" font-size="10" fill="#555555">{escape(title)}</text>',
    ]
    for place, (name, colour) in enumerate(_COLOURS.items()):
        left = _LABEL_WIDTH + place * 110
        parts.append(f'<rect x="{left}" y="48" width="11" height="11" fill="{colour}"/>')
        parts.append(f'<text x="{left + 16}" y="58">{PROCESSES[name]}</text>')
    for number, one in enumerate(ordered):
        y = _TOP + number * _ROW
        x = float(_LABEL_WIDTH)
        weight = ' font-weight="bold"' if one.variant is TIDINGS else ""
        label = escape(_shortened(one.variant.title.replace("*", "")))
        parts.append(f'<text x="{_LABEL_WIDTH - 8}" y="{y + 19}" text-anchor="end"{weight}>{label}</text>')
        for name, colour in _COLOURS.items():
            width = one.cpu_us[name] * scale
            parts.append(f'<rect x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
            x += width
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 19}"{weight}>{_whole(one):,.0f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shortened(label: str) -> str:
    return label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 1] + "…"
