"""Printing: words for people, JSON and CSV for machines, nothing that a terminal would obey."""

from __future__ import annotations

import csv
import io
import logging
import sys
from typing import TYPE_CHECKING, BinaryIO, TextIO

from scanner.cli.terminal.logs import event
from scanner.cli.terminal.switches import switches
from scanner.cli.terminal.text import json_line, safe
from scanner.errors import ConfigError
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def say(text: str = "", **values: object) -> None:
    """Print a sentence, a catalogue key with ``{name}`` marks, on standard output."""
    write_line(translate(text).format(**values) if values else translate(text))


def say_under(text: str, **values: object) -> None:
    """The same, under what was said before."""
    write_line("  " + translate(text).format(**values))


def tell(text: str, **values: object) -> None:
    """The same on standard error, for the person and not for the pipe; not where ``--quiet`` was asked."""
    if switches().verbosity >= 0:
        line = translate(text).format(**values) if values else translate(text)
        if switches().log_json:
            event("told", line)
        else:
            sys.stderr.write(f"{safe(line)}\n")


def complain(line: object) -> None:
    """One line on standard error about something that is wrong, whatever was asked."""
    if switches().log_json:
        event("complaint", str(line), level=logging.ERROR)
    else:
        sys.stderr.write(f"vetuste: {safe(str(line))}\n")


def write_line(line: str) -> None:
    """Print one line of which nothing but our own colours is obeyed."""
    sys.stdout.write(f"{safe(line)}\n")


def write_lines(lines: Iterable[str]) -> None:
    """Print lines that are safe already and may be coloured."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def write_json(value: object) -> None:
    """Print one JSON value on one line, now."""
    stream = machine()
    stream.write(f"{json_line(value)}\n")
    stream.flush()


def write_json_list(values: Iterable[object]) -> None:
    """Print a JSON list, one element a line, without holding it in memory."""
    stream = machine()
    before = "["
    for value in values:
        stream.write(f"{before}\n{json_line(value)}")
        before = ","
    stream.write("[]\n" if before == "[" else "\n]\n")


def write_objects(form: str, objects: Iterable[object]) -> None:
    """Print a JSON list, or with the form ``jsonl`` an object a line."""
    if form == "json":
        write_json_list(objects)
        return
    for each in objects:
        write_json(each)


def write_csv(heads: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print comma-separated values (RFC 4180); a cell that a spreadsheet would run is made text."""
    writer = csv.writer(machine(newline=""))
    writer.writerow(heads)
    writer.writerows([_inert(_text(row[head])) for head in heads] for row in rows)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _inert(text: str) -> str:
    text = safe(text)
    return f"'{text}" if text.lstrip(" '\"")[:1] in {"=", "+", "-", "@"} else text


def machine_bytes() -> BinaryIO:
    """Standard output for bytes.

    Raises:
        ConfigError: it is a terminal.
    """
    if sys.stdout.isatty():
        raise ConfigError("this format is no text: name a file with --out, or send it to another program")
    return sys.stdout.buffer


def machine(newline: str = "\n") -> TextIO:
    """Standard output for programs: UTF-8 whatever the locale, line ends as asked."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace", newline=newline)
    return stream
