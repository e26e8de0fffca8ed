"""The log of a command: standard error, in words or as JSON lines for a SIEM.

As JSON lines, everything that is said there is one, with ``time``, ``level``, ``message`` and ``event``, by
which programs tell it (docs/operating.md). Commands are told without their arguments.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from scanner.cli.terminal.text import safe

LOGGER = "vetuste"
_EVENTS = logging.getLogger(f"{LOGGER}.events")
_NONE = logging.CRITICAL + 1
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
    _EVENTS.setLevel((logging.ERROR if verbosity < 0 else logging.INFO) if as_json else _NONE)


def event(name: str, message: str = "", *, level: int = logging.INFO, **fields: object) -> None:
    """One line for programs; nothing where the log is in words.

    Args:
        name: what happened; it never changes.
        message: the same for people; its name otherwise.
        level: of :mod:`logging`.
        **fields: what of; never a secret.
    """
    _EVENTS.log(level, "%s", message or name, extra={"event": name, **fields})
