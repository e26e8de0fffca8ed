"""Evidence from a file of JSON lines: ``{"host": …, "evidence": {key: value or [values]}}``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.jsonl import parsed
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.model import Evidence

_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that some editors begin a file with."""
LONGEST: Final = 1 << 20
"""The longest line that is read, in bytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One host of the file."""

    host: str
    evidence: Evidence


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """The file of that name; ``-`` is standard input.

    Raises:
        ConfigError: it cannot be read.
    """
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(name, "rb")  # noqa: PTH123, SIM115 - a name is not always a path; closed below
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError("cannot be read: {why}", file=name, why=why) from error
    with stream:
        yield stream


def lines_of(stream: IO[bytes], name: str) -> Iterator[Line | ConfigError]:
    """Every line that is not blank, as what it says or as what is wrong with it."""
    number = 0
    while raw := stream.readline(LONGEST + 1):
        number += 1
        try:
            if raw.strip() and (number > 1 or raw.strip() != _MARK):
                yield _line(_whole(raw, stream).removeprefix(_MARK))
        except ConfigError as error:
            place = printable(name) if name != "-" else "stdin"
            yield ConfigError(error.text, file=place, line=number, key=error.key, **error.values)


def _whole(raw: bytes, stream: IO[bytes]) -> bytes:
    """The line, if that is all of it; what is too long is passed over to its end."""
    if len(raw) <= LONGEST or raw.endswith(b"\n"):
        return raw
    while part := stream.readline(LONGEST):
        if part.endswith(b"\n"):
            break
    raise ConfigError("is longer than 1 MiB")


def _line(raw: bytes) -> Line:
    value = parsed(raw, _once)
    if not isinstance(value, dict):
        raise ConfigError("must be an object with two keys, host and evidence")
    host, evidence = value.get("host"), value.get("evidence")
    if not isinstance(host, str) or not host:
        raise ConfigError("must be text, a name or an address", key="host")
    if not isinstance(evidence, dict):
        raise ConfigError("must be an object of keys and values", key="evidence")
    return Line(printable(host), {printable(key): _values(key, given) for key, given in evidence.items()})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError("stands there twice", key=printable(twice, 80))
    return made


def _values(key: str, given: object) -> tuple[str, ...]:
    kept = []
    for value in given if isinstance(given, list) else [given]:
        if not isinstance(value, str):
            raise ConfigError("must be text, or a list of texts", key=f"evidence.{printable(key, 80)}")
        kept.append(printable(value))
    return tuple(kept)
