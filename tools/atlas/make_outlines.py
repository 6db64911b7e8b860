"""Makes `web/charts/atlas/outlines.json` from us-atlas: `python -m tools.atlas.make_outlines`.

`states-albers-10m.json` and `counties-albers-10m.json` are those of us-atlas 3.0.1, byte for byte (its license:
`web/charts/atlas/LICENSE-us-atlas`): Census Bureau cartographic boundary files of 2017, in a conic equal-area
projection on 975 × 610. Guam, the Northern Mariana Islands, Puerto Rico, the Virgin Islands and American Samoa are not
in them.
"""

from __future__ import annotations

import json
from pathlib import Path

from monitor.normalize import STATES
from tools.atlas.topology import Shape, Topology, borders, shapes
from web.charts import atlas
from web.charts.atlas import GRID, HEIGHT, WIDTH

# A state this large (in square units of the atlas) has room for its two letters.
LABELED = 1000


def outlines() -> str:
    """The text of the file, one place a line."""
    states, counties = _read("states"), _read("counties")
    codes = {name: code for code, name in STATES.items()}
    by_code = {codes[shape.name]: shape for shape in shapes(states, "states").values()}
    code_of = {shape.id: code for code, shape in by_code.items()}
    made: dict[str, dict[str, object]] = {
        "states": {code: [shape.name, code, shape.path, _label(shape)] for code, shape in by_code.items()},
        "counties": {
            fips: [shape.name, code_of[fips[:2]], shape.path, None]
            for fips, shape in shapes(counties, "counties").items()
        },
    }
    layers = [f'"{layer}": {{\n{_lines(places)}\n}}' for layer, places in made.items()]
    lines = json.dumps(borders(counties, "counties", WIDTH, HEIGHT))
    return "{" + ",\n".join([*layers, f'"county_borders": {lines}']) + "}\n"


def _lines(places: dict[str, object]) -> str:
    return ",\n".join(f'"{id_}": {json.dumps(place, ensure_ascii=False)}' for id_, place in places.items())


def _label(shape: Shape) -> tuple[int, int] | None:
    x, y = shape.middle
    return (round(x * GRID), round(y * GRID)) if shape.area >= LABELED else None


def _read(name: str) -> Topology:
    topology: Topology = json.loads((Path(__file__).parent / f"{name}-albers-10m.json").read_bytes())
    return topology


if __name__ == "__main__":
    atlas.OUTLINES.write_text(outlines(), encoding="utf-8")
