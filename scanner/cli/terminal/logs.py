"""The log of a command: standard error, in words or as JSON lines for a SIEM."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from scanner.cli.terminal.text import safe

LOGGER = "vetuste"
_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


class _Words(logging.Formatter):
    """``vetuste: message``, with a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"vetuste: {safe(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Json(logging.Formatter):
    """One JSON object a line: ``time level message`` and what the caller gave as ``extra``."""

    _STANDARD = frozenset(logging.makeLogRecord({}).__dict__)

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in record.__dict__.items() if name not in self._STANDARD}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **extra,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(verbosity: int, *, as_json: bool) -> None:
    """Send the product's log to standard error.

    Args:
        verbosity: -1 errors only, 0 warnings too, 1 what is going on, 2 every detail.
        as_json: JSON lines instead of words.
    """
    logger = logging.getLogger(LOGGER)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if as_json else _Words())
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(_LEVELS[max(0, min(verbosity + 1, len(_LEVELS) - 1))])
