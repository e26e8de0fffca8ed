"""The command line: one file a command, found by being there; each parses, calls and prints.

A module of this package is a command and is called by its name (``import_`` is ``import``); it has a
``command``, and the first line of its file is what ``vetuste --help`` says of it. Packages in it are none.
"""

from __future__ import annotations

from scanner.cli.terminal.front import main

__all__ = ["main"]
