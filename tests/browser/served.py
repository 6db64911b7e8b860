"""The real server, as a process of its own: `python -m tests.browser.served STATE MOMENT`.

It differs from `serve` in the clock alone, which stands at MOMENT, so that the pages are the same every year.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from monitor.settings import Settings
from web.server import serve_forever

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(state: Path, now: datetime) -> Iterator[str]:
    """The pages of a state.db as they are at a moment, until the block ends; gives their address."""
    command = [sys.executable, "-m", "tests.browser.served", str(state), now.isoformat()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), "the server did not start; what it said stands above"
            yield address
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; the first line printed is the address."""
    state, moment = sys.argv[1:]
    now = datetime.fromisoformat(moment)
    serve_forever(Settings(state=Path(state)), lambda: now, ready=lambda address: print(address, flush=True), port=0)


if __name__ == "__main__":
    main()
