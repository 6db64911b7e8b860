"""Turns numbers into charts, maps and timelines (SVG coordinates), and draws previews as PNG."""
