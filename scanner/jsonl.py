"""Reading a line of JSON that a stranger wrote: its value, or one sentence that says what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def parsed(line: bytes, once: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:  # noqa: ANN401 - JSON is anything
    """The value of a line.

    Args:
        line: the line, in UTF-8.
        once: makes an object of its pairs, and may refuse them.

    Raises:
        ConfigError: it is no JSON; the place in the line is named.
    """
    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 at byte {position}", position=error.start + 1) from error
    except RecursionError as error:
        raise ConfigError("is no JSON: brackets are nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            "is no JSON at column {column}: {why}", column=error.colno, why=error.msg
        ) from error
    except ValueError as error:  # a number of too many digits
        raise ConfigError("is no JSON: {why}", why=error) from error
