"""Pictures for the previews of links (1200 × 630, PNG), drawn by matplotlib where the extra `pictures` is installed.

Each depends on nothing but the numbers that it shows, so that the same numbers are the same bytes. matplotlib is not
safe in threads: one picture at a time is drawn, and whoever would have to wait for long is asked to come again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from web.charts import atlas
from web.charts.maps import WIDTH, Map
from web.charts.topology import GRID
from web.pages.text import day

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES, _DPI = (12, 6.3), 100
_PAPER, _INK, _SOFT, _RULE = "#fffefb", "#1b1b1a", "#5a5852", "#d9d5ca"
_SHADES = ("#f1eee6", "#cfe0ee", "#93bfdc", "#4f93c2", "#1f649c", "#0a3560")
_SERIF, _SANS = "DejaVu Serif", "DejaVu Sans"
# One is drawn, one waits; a third would hold up a thread that could answer for a page.
_AT_ONCE = 2
# Pictures that are kept: all states, and the few others.
_KEPT = 80


@cache
def available() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("matplotlib") is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One number over time: its days and values, the oldest first."""

    levels: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """All that a picture says: two lines of words above a line, or above a map."""

    title: str
    below: str
    drawn: Line | Map


class Busy(Exception):
    """Too many pictures are being drawn already."""


class Previews:
    """Draws cards, one at a time, and keeps what was drawn."""

    def __init__(self, drawer: Callable[[Card], bytes] | None = None, at_once: int = _AT_ONCE) -> None:
        self._draw = drawer or draw
        self._lock, self._queue = Lock(), BoundedSemaphore(at_once)
        self._kept: dict[str, tuple[Card, bytes]] = {}

    def png(self, name: str, card: Card) -> bytes:
        """The picture of a card. `name`: which picture it is a version of. Raises Busy."""
        if (kept := self._found(name, card)) is not None:
            return kept
        if not self._queue.acquire(blocking=False):
            raise Busy
        try:
            with self._lock:
                if (kept := self._found(name, card)) is not None:
                    return kept
                drawn = self._draw(card)
                if len(self._kept) >= _KEPT:
                    with suppress(KeyError):
                        del self._kept[next(iter(self._kept))]
                self._kept[name] = card, drawn
                return drawn
        finally:
            self._queue.release()

    def _found(self, name: str, card: Card) -> bytes | None:
        kept = self._kept.get(name)
        return kept[1] if kept and kept[0] == card else None


def draw(card: Card) -> bytes:
    """The bytes of a PNG. For one thread at a time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=_PAPER)
    FigureCanvasAgg(figure)  # which becomes the figure's own
    _words(figure, card)
    match card.drawn:
        case Line(levels):
            _line(figure.add_axes((0.06, 0.12, 0.82, 0.53)), levels)
        case Map() as map_:
            _map(figure.add_axes((0.18, 0.02, 0.64, 0.68)), map_)
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})  # not which version drew it
    return written.getvalue()


def _words(figure: Figure, card: Card) -> None:
    for text, y, size, font, weight, colour in (
        ("Agreement Monitor", 0.9, 17, _SERIF, "bold", _SOFT),
        (card.title, 0.79, 34, _SERIF, "bold", _INK),
        (card.below, 0.72, 17, _SANS, "normal", _SOFT),
    ):
        figure.text(0.06, y, text, fontsize=size, family=font, fontweight=weight, color=colour, parse_math=False)


def _line(axes: Axes, levels: Sequence[tuple[date, int]]) -> None:
    """A line in steps, and what is below it. It ends with its last change, not with today."""
    days, numbers = [d.toordinal() for d, _ in levels], [n for _, n in levels]
    days.append(days[-1] + max(1, (days[-1] - days[0]) // 25))
    numbers.append(numbers[-1])
    axes.fill_between(days, numbers, step="post", color=_SHADES[1], linewidth=0)
    axes.step(days, numbers, where="post", color=_SHADES[5], linewidth=3)
    axes.set_xlim(days[0], days[-1])
    axes.set_ylim(0, max(*numbers, 1) * 1.08)
    axes.set_facecolor(_PAPER)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_SOFT)
    axes.set_yticks([])
    ends = [(days[0], levels[0][0], "left"), (days[-1], levels[-1][0], "right")]
    axes.set_xticks([])
    for at, when, align in ends[: 1 if len(levels) == 1 else 2]:
        axes.annotate(
            day(when), (at, 0), xytext=(0, -14), textcoords="offset points", ha=align, va="top",
            fontsize=15, family=_SANS, color=_SOFT,
        )  # fmt: skip
    axes.annotate(
        str(numbers[-1]), (days[-1], numbers[-1]), xytext=(10, 0), textcoords="offset points", va="center",
        fontsize=24, family=_SANS, fontweight="bold", color=_INK,
    )  # fmt: skip


def _map(axes: Axes, map_: Map) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    shapes = atlas.states()
    drawn = [r for r in map_.regions if r.id in shapes and not r.square]
    outlines = [Path.make_compound_path(*(Path(ring, closed=True) for ring in shapes[r.id].rings)) for r in drawn]
    axes.add_collection(
        PathCollection(outlines, facecolors=[_SHADES[r.class_] for r in drawn], edgecolors=_RULE, linewidths=0.8)
    )
    for region in map_.regions:
        if region.square and region.label:
            _square(axes, *region.label, _SHADES[region.class_], dark=region.class_ > 2)
    axes.set_xlim(-58, WIDTH / GRID)
    axes.set_ylim(atlas.HEIGHT, 0)
    axes.set_aspect("equal")
    axes.axis("off")


def _square(axes: Axes, code: str, x: int, y: int, shade: str, *, dark: bool) -> None:
    axes.text(
        x / GRID, y / GRID, code, ha="center", va="center", fontsize=9, family=_SANS,
        color=_PAPER if dark else _INK, bbox={"boxstyle": "square,pad=0.35", "fc": shade, "ec": _RULE},
    )  # fmt: skip
