"""The site file: the wards of a site, and the bounds of every scan (``docs/site-file.md``).

Importing this imports no pydantic: commands that only need the inventory's address start faster without.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.wire import printable

if TYPE_CHECKING:
    from os import PathLike

    from scanner.config.canary import Canary
    from scanner.config.schema import Alert, Dicom, Esu, Notify, Policy, Signing, Site, SiteFile, Snmp, Ward
    from scanner.config.window import Window

__all__ = [
    "Alert",
    "Canary",
    "Dicom",
    "Esu",
    "Notify",
    "Policy",
    "Signing",
    "Site",
    "SiteFile",
    "SiteSource",
    "Snmp",
    "Ward",
    "Window",
    "inventory_url",
    "load_site",
    "own_data",
    "read_site",
    "site_of",
]

_LARGEST: Final = 1 << 18
"""The largest site file that is read, in bytes: thousands of wards."""


def __getattr__(name: str) -> object:
    """The models, imported when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("scanner.config.schema"), name)


@dataclass(frozen=True, slots=True)
class SiteSource:
    """A site file as it was read, once: what is signed and compared are the bytes that were understood."""

    path: Path
    content: bytes
    file: SiteFile

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def load_site(path: str | PathLike[str]) -> SiteFile:
    """Read and check a site file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something wrong; names file, line and key.
    """
    return read_site(path).file


def read_site(path: str | PathLike[str]) -> SiteSource:
    """The same, with the bytes that it stands in.

    Raises:
        ConfigError: as :func:`load_site`.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - see the module's docstring

    from scanner.config.complaints import complaint  # noqa: PLC0415 - the same
    from scanner.config.schema import SiteFile  # noqa: PLC0415 - the same

    file = Path(path)
    content = _content_of(file)
    text = _decoded(content, file)
    data = _parsed(text, file)
    try:
        return SiteSource(file, content, SiteFile.model_validate(_tuples(data)))
    except ValidationError as error:
        raise complaint(error, text, data, file) from error


def site_of(data: dict[str, Any]) -> SiteFile:
    """The site file that says this.

    Raises:
        ConfigError: no site file may say so.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - see the module's docstring

    from scanner.config.schema import SiteFile  # noqa: PLC0415 - the same

    try:
        return SiteFile.model_validate(_tuples(data))
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"]))
        raise ConfigError("no site file says so", key=printable(key)) from error


def inventory_url(path: str | PathLike[str]) -> str | None:
    """The ``[inventory] url`` of a site file, where it has one; nothing else of the file is checked.

    Raises:
        ConfigError: the file cannot be read or is no TOML, or the address is no text.
    """
    return _text_of(Path(path), "inventory", "url")


def own_data(path: str | PathLike[str]) -> Path | None:
    """The ``[data] directory`` of a site file, from where the file is; nothing else of the file is checked.

    Raises:
        ConfigError: as :func:`inventory_url`.
    """
    directory = _text_of(Path(path), "data", "directory")
    return None if directory is None else Path(path).parent / directory


def _text_of(file: Path, table: str, key: str) -> str | None:
    found = _parsed(_decoded(_content_of(file), file), file).get(table, {})
    text = found.get(key) if isinstance(found, dict) else found
    if text is None or isinstance(text, str):
        return text
    raise ConfigError('must be text in quotes: "…"', file=file, key=f"{table}.{key}")


def _content_of(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError("there is no such site file", file=file) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError("cannot be read: {why}", file=printable(str(file)), why=why) from error
    if len(content) > _LARGEST:
        raise ConfigError("is larger than 256 KiB: this is no site file", file=file)
    return content


def _decoded(content: bytes, file: Path) -> str:
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not in UTF-8: save it as UTF-8", file=file, line=line) from error


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError("is no TOML: brackets are nested too deeply", file=file) from None
    except ValueError as error:  # TOMLDecodeError, and numbers of too many digits
        why, _, where = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", where)
        last = text.rstrip("\n").count("\n") + 1
        at = int(line[1]) if line else last if where else None
        raise ConfigError("is no TOML: {why}", file=file, line=at, why=printable(why)) from error


def _tuples(value: Any) -> Any:  # noqa: ANN401 - a parsed TOML value is anything
    """The same with tuples for lists: the models are strict and immutable."""
    if isinstance(value, dict):
        return {key: _tuples(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(entry) for entry in value)
    return value
