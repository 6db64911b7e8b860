"""Run benches and print a table a bench: `python -m bench [NAME …]`."""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from pathlib import Path

from bench.measure import Figure

BENCHES = (
    "check",
    "entries",
    "scale",
    "replay",
    "routing",
    "digests",
    "histories",
    "slack",
    "delivery",
    "web",
    "crashes",
    "publish",
)


def main() -> int:
    """Print each bench's figures; an unknown name is said and ends with 2."""
    names = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(f"{_cpu()}, Python {platform.python_version()}")
    for name in names:
        bench = import_module(f"bench.{name}")
        print(f"\n{bench.__doc__.strip().splitlines()[0]}")
        for figure in bench.figures():
            _print(figure)
    return 0


def _print(figure: Figure) -> None:
    bound = f"  (bound: {figure.bound})" if figure.bound else ""
    print(f"  {figure.what:<68} {figure.value:>12}{bound}")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        if models:
            return f"{len(models)} × {models[0]}"
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
