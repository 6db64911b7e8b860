"""Pictures for the previews of links: SVG to PNG by resvg, where the extra `pictures` is installed.

Equal SVG gives equal bytes on every machine, since the fonts lie here: DejaVu, cut down by `pyftsubset FONT
--unicodes=U+0020-007E,U+00A0-00FF,U+2013,U+2014,U+2018-201D --no-hinting --layout-features=kern`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

FONTS = tuple(str(path) for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf")))
# All states, the front page and the map; and some of them as they were before.
_KEPT = 80


@cache
def available() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("resvg_py") is not None


@lru_cache(maxsize=_KEPT)
def png(svg: str) -> bytes:
    """The picture as PNG; call it only where it is `available`."""
    from resvg_py import svg_to_bytes  # an extra

    return svg_to_bytes(svg, skip_system_fonts=True, font_files=list(FONTS))
