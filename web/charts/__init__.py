"""Numbers → charts, maps and timelines as SVG coordinates; previews as PNG."""
