"""What values of a bundle may be: whatever is none of it damages the bundle, and none of it is taken."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_network
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from scanner.addresses import address_of, number_of
from scanner.errors import DataError
from scanner.inventory.utc import stamp
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_LONGEST: Final = 4096
"""Characters of a text."""
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


def damaged(what: str) -> DataError:
    """What is raised of a value that no bundle of ours has."""
    return DataError("the bundle says something that none of ours says: {what}", what=what)


def table_of(value: object, keys: Collection[str], what: str) -> dict[str, Any]:
    """An object with these keys and no others."""
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise damaged(what)
    return value


def list_of(value: object, what: str, most: int = 1 << 20) -> list[Any]:
    """A list that is not too long."""
    if not isinstance(value, list) or len(value) > most:
        raise damaged(what)
    return value


def text_of(value: object, what: str, most: int = _LONGEST) -> str:
    """A text that may be printed, and that UTF-8 can hold."""
    if not isinstance(value, str) or printable(value, most) != value:
        raise damaged(what)
    return value


def number_in(value: object, what: str, most: int, least: int = 0) -> int:
    """A whole number of a range."""
    if type(value) is not int or not least <= value <= most:
        raise damaged(what)
    return value


def moment_in(value: object, what: str) -> datetime:
    """A moment as it is stored."""
    return datetime.fromisoformat(_usual(value, what, lambda text: stamp(datetime.fromisoformat(text))))


def bytes_in(value: object, what: str, size: int) -> bytes:
    """So many bytes, in hexadecimal."""
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise damaged(what)
    return bytes.fromhex(value)


def address_in(value: object, what: str) -> str:
    """An address in its usual form."""
    return _usual(value, what, lambda text: address_of(number_of(text)))


def network_in(value: object, what: str) -> str:
    """A network in its usual form."""
    return _usual(value, what, lambda text: str(ip_network(text)))


def _usual(value: object, what: str, form: Callable[[str], str]) -> str:
    """A text that reads the same in its usual form."""
    text = text_of(value, what)
    try:
        same = form(text) == text
    except (ValueError, OverflowError):
        same = False
    if not same:
        raise damaged(what)
    return text


def message_in(value: object, what: str) -> Message:
    """A sentence: a text, and the values of its marks, which say nothing else than a name."""
    parts = list_of(value, what, 2)
    if len(parts) != 2 or not isinstance(parts[1], dict):  # noqa: PLR2004 - a text, and its values
        raise damaged(what)
    text = text_of(parts[0], what)
    values = {text_of(name, what, 64): text_of(value, what) for name, value in parts[1].items()}
    try:
        marks = [(name, form, turn) for _, name, form, turn in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise damaged(what) from error
    if not all(
        name in values and _NAME.fullmatch(name) and not form and not turn for name, form, turn in marks
    ):
        raise damaged(what)
    return Message(text, values)
