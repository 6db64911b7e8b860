"""Sets up logging for all packages: structlog writes the records of Python's `logging` to standard error."""

from __future__ import annotations

import logging
import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter
    from structlog.typing import EventDict, Processor, WrappedLogger

    from monitor.settings import LogSettings

# Libraries that say at these levels nothing that an operator needs.
_LEVELS = {
    "apscheduler": logging.WARNING,  # each run of each job
    "apscheduler.executors": logging.CRITICAL,  # failures, which `service` logs itself
    "flask-limiter": logging.WARNING,  # the network address of each visitor who asks too often
}

# A second lock: none of these should reach a log, but an unexpected exception may quote them.
_SECRETS = re.compile(
    r"(?P<before>/services/|/(?:manage|unsubscribe|confirm)/|xox[a-z]-)[^\s\"'<>]+"
    r"|[^\s<>()\[\],;:\"'\\]+@(?P<domain>[^\s<>()\[\],;:\"'\\]+)"
)


def configure(settings: LogSettings) -> None:
    """Log to standard error in the format of the settings, unless this process has set up logging already."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(settings.format))
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)


class _Formatter(logging.Formatter):
    """structlog's formatter, made for the first record: it takes 0.1 s to import, and most checks log nothing."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        return self._structlog.format(record)

    @cached_property
    def _structlog(self) -> ProcessorFormatter:
        import structlog

        renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
        if self._form == "console":
            renderer = structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            )
        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _without_secrets,
                renderer,
            ],
        )


def _without_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {name: _masked(value) if isinstance(value, str) else value for name, value in event.items()}


def _masked(text: str) -> str:
    return _SECRETS.sub(lambda secret: f"{secret['before']}…" if secret["before"] else f"…@{secret['domain']}", text)
