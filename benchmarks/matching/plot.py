"""The reliability plot as a small SVG: what the score says against how often it is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SIDE, _EDGE = 360, 48
_FONT = 'font-family="sans-serif" font-size="11" fill="#444"'


def _x(share: float) -> float:
    return round(_EDGE + share * _SIDE, 1)


def _y(share: float) -> float:
    return round(_EDGE / 2 + (1 - share) * _SIDE, 1)


def _grid() -> Iterable[str]:
    for step in range(6):
        share = step / 5
        yield f'<path d="M{_x(share)} {_y(0)}V{_y(1)}M{_x(0)} {_y(share)}H{_x(1)}" stroke="#e4e4e4"/>'
        yield f'<text x="{_x(share)}" y="{_y(0) + 16}" text-anchor="middle" {_FONT}>{share:.1f}</text>'
        yield f'<text x="{_x(0) - 6}" y="{_y(share) + 4}" text-anchor="end" {_FONT}>{share:.1f}</text>'


def reliability_svg(points: Sequence[tuple[float, float, int]], title: str) -> str:
    """Return the plot of ``(mean score, share that is right, lookups)``; a dot's size grows with its lookups."""
    width, height = _SIDE + 2 * _EDGE, _SIDE + 2 * _EDGE
    dots = [
        f'<circle cx="{_x(score)}" cy="{_y(right)}" r="{3 + min(6.0, count**0.5 / 10):.1f}" fill="#1f6feb">'
        f"<title>{score:.3f}: {right:.1%} of {count}</title></circle>"
        for score, right, count in points
    ]
    line = " ".join(f"{_x(score)},{_y(right)}" for score, right, _ in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_grid(),
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#999" stroke-dasharray="4 4"/>',
        f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-opacity="0.5"/>',
        *dots,
        f'<text x="{_x(0.5)}" y="{_y(0) + 34}" text-anchor="middle" {_FONT}>score of the best candidate</text>',
        f'<text transform="translate(14 {_y(0.5)}) rotate(-90)" text-anchor="middle" {_FONT}>share that is the right film</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
