"""What the tests of commands share: a service that checks, a log that is told, and real servers."""

from tests.alerts.conftest import configured, log, path, slack, smtp, typed
from tests.monitor.conftest import here, reader

__all__ = ["configured", "here", "log", "path", "reader", "slack", "smtp", "typed"]
