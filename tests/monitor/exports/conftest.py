"""What the tests of exports share: a log to write, and a moment to read it at."""

from tests.web.conftest import log, read_at

__all__ = ["log", "read_at"]
