"""Everything that the product raises on purpose.

::

    VetusteError                  exit code 3
    ├── ConfigError               exit code 2: the command, site file or a target is wrong; nothing was sent
    ├── DataError                 exit code 2: a fingerprint or lifecycle file is wrong; nothing was sent
    ├── InventoryError            exit code 3: the database cannot be used now; what was recorded is kept
    └── ProbeError                never leaves the transport: it becomes an outcome
        ├── ProtocolError         the peer does not speak the protocol
        ├── PeerClosedError       the peer went away in mid-conversation
        └── LimitError            a limit of ours was reached: bytes, time, exchanges, connections

A class's docstring is its default message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scanner.language import translate

if TYPE_CHECKING:
    from os import PathLike


class VetusteError(Exception):
    """Something prevented the command from finishing."""

    exit_code = 3

    def __init__(
        self,
        text: str = "",
        *,
        file: str | PathLike[str] | None = None,
        line: int | None = None,
        key: str | None = None,
        **values: object,
    ) -> None:
        """Make an error that says where, what and what to do next, on one line.

        Args:
            text: the message in English, a catalogue key; ``{name}`` marks are filled from ``values``.
            file: the file that is wrong.
            line: its line, from 1.
            key: the key in it, dotted.
            **values: what stands in the message.
        """
        self.text = text or (self.__doc__ or "").strip().splitlines()[0]
        self.values = values
        self.file, self.line, self.key = file, line, key
        super().__init__(self.text)

    def at(self, file: str | PathLike[str], line: int) -> Self:
        """The same error, known to stand in a line of a file."""
        self.file, self.line = file, line
        return self

    def __str__(self) -> str:
        message = translate(self.text)
        if self.values:
            message = message.format(**self.values)
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return ": ".join(part for part in (place, self.key, message) if part)


class ConfigError(VetusteError):
    """The command or the site file is wrong."""

    exit_code = 2


class DataError(VetusteError):
    """A file of fingerprints or of support dates is wrong."""

    exit_code = 2


class InventoryError(VetusteError):
    """The inventory cannot be used."""


class ProbeError(VetusteError):
    """A conversation ended early."""


class ProtocolError(ProbeError):
    """The peer does not speak this protocol."""


class PeerClosedError(ProbeError):
    """The peer closed the connection."""


class LimitError(ProbeError):
    """A limit was reached."""
