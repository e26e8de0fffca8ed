"""What is wrong with a site file, in one sentence that says what to write instead."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from scanner.config.schema import (
    Alert,
    Dicom,
    Esu,
    Health,
    InventoryTable,
    Notify,
    OwnData,
    Policy,
    Retention,
    Signing,
    Site,
    SiteFile,
    Snmp,
    Ward,
)
from scanner.errors import ConfigError
from scanner.language import Message
from scanner.toml import line_of
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from scanner.config.fields import Table

TABLES: Final[Mapping[str, type[Table]]] = {
    "": SiteFile,
    "site": Site,
    "policy": Policy,
    "ward": Ward,
    "esu": Esu,
    "snmp": Snmp,
    "dicom": Dicom,
    "inventory": InventoryTable,
    "data": OwnData,
    "signing": Signing,
    "retention": Retention,
    "health": Health,
    "alert": Alert,
    "notify": Notify,
}
"""The tables of a site file by name; ``""`` is its top level."""

_LARGE: Final = 1 << 16
"""Characters from which on it costs too much to look for the lines of more than one mistake."""

_SAYS: Final[Mapping[str, Message]] = {
    "missing": Message("is missing"),
    "string_type": Message('must be text in quotes: "…"'),
    "string_too_long": Message("is longer than {max_length} characters"),
    "int_type": Message("must be a whole number without quotes"),
    "bool_type": Message("must be true or false, without quotes"),
    "date_type": Message("must be a date without quotes, such as 2026-10-13"),
    "tuple_type": Message("must be a list in brackets, or [[…]] tables"),
    "model_type": Message("must be a table"),
    "mapping_type": Message("must be a table"),
    "greater_than_equal": Message("is {given}; the least is {ge}"),
    "less_than_equal": Message("is {given}; the most is {le}"),
    "literal_error": Message("is {given}; it must be one of: {known}"),
    "unprintable": Message("holds control characters"),
    "blank": Message("must not be empty"),
    "no_network": Message("{given} is no network: write an address or a network such as 10.20.0.0/24"),
    "host_bits": Message("{given} has bits set behind its prefix: {meant} is the network it lies in"),
    "no_hosts": Message("{given} holds addresses that no machine can have"),
    "overlap": Message("{given} overlaps {other}, which the same ward names already"),
    "twice": Message("{given} stands there twice"),
    "no_window": Message('{given} is no window: write "22:00-05:30 Europe/Paris", with a known time zone'),
    "never_opens": Message(
        "{given} never opens: it ends when it begins; leave it out where anything may be sent at any time"
    ),
    "no_canary": Message("{given} is no canary: write an address, or an address and a port: 10.20.0.5:443"),
    "canary_excluded": Message(
        "{given} is excluded: it may not be touched, and a canary is asked all the time"
    ),
    "no_router": Message("{given} is no router: write its address, such as 10.20.0.1"),
    "router_excluded": Message("{given} is excluded: it may not be touched, and a router would be asked"),
    "host_passive": Message("{given} lies in a ward that is passive_only: nothing is ever sent there"),
    "host_public": Message("{given} lies in no subnet of this site, and is no private address"),
    "no_role": Message("{given} is no role: write a word in lower case, such as biomedical"),
    "no_roles": Message('needs those who sign: [signing] roles = ["biomedical", "rssi"]'),
    "no_probe": Message("{given} is no name of a probe"),
    "no_ae_title": Message("{given} is no AE title: 1 to 16 characters of ASCII, without a backslash"),
    "no_finess": Message("{given} is no FINESS number: it has nine characters"),
    "no_release": Message("{given} is no release: write its id, such as windows-10-22h2-pro"),
    "no_variable": Message(
        "must name an environment variable (capitals, digits, _); a secret never stands in this file"
    ),
    "secret": Message(
        "holds a password: leave it out; passwords come from the environment (PGPASSWORD or ~/.pgpass)"
    ),
    "no_lab": Message('profile "lab" has no limits: it needs lab = true in the same ward'),
    "ward_twice": Message("{given} is the name of another ward already"),
    "shared_subnet": Message("{given} belongs to the ward {other} already"),
    "no_kind": Message("{given} is no kind: write a word in lower case, such as scan-failed"),
    "no_mail": Message("{given} is no mail address: write one in ASCII, such as dsi@hospital.example"),
    "no_host": Message("{given} is no host: write a name or an address, without a port"),
    "no_log": Message("{given} is no syslog: write udp://HOST:PORT, tcp://HOST:PORT or unix:/dev/log"),
    "channel_twice": Message("{given} is the name of another channel already"),
    "channel_unused": Message("{given} is named by no [[alert]]: nothing would ever be sent there"),
    "alert_twice": Message("another [[alert]] says the same already; give that one all channels"),
}
_UNKNOWN: Final = Message("is no key of a site file; known here: {known}")
_NEAREST: Final = Message("is no key of a site file; did you mean {nearest}?")
_NO_WARD: Final = Message("{given} is no ward of this file; its wards: {known}")
_NEAREST_WARD: Final = Message("{given} is no ward of this file; did you mean {nearest}?")
_NO_CHANNEL: Final = Message("{given} is no channel of this file; its [[notify]] tables: {known}")
_NEAREST_CHANNEL: Final = Message("{given} is no channel of this file; did you mean {nearest}?")
_OTHERWISE: Final = Message("{why}")


def complaint(error: ValidationError, text: str, data: Mapping[str, Any], file: Path) -> ConfigError:
    """The first thing in the file that is wrong, as an error that names file, line and key."""
    considered = 20 if len(text) < _LARGE else 1
    found = [(detail, _path(detail)) for detail in error.errors(include_url=False)[:considered]]
    lines = [(line_of(text, path), index) for index, (_, path) in enumerate(found)]
    line, index = min(lines, key=lambda entry: (entry[0] or 0, entry[1]))
    detail, path = found[index]
    message = _message(detail, path)
    return ConfigError(message.text, file=file, line=line, key=_readable(path, data), **message.values)


def first_complaint(error: ValidationError) -> tuple[str, Message]:
    """The first thing that is wrong with a table by itself: its key, and what is wrong."""
    detail = error.errors(include_url=False)[0]
    path = _path(detail)
    return _readable(path, {}), _message(detail, ("ward", *path))


def _path(detail: ErrorDetails) -> tuple[str | int, ...]:
    at: tuple[str | int, ...] = detail.get("ctx", {}).get("at", ())
    return tuple(step for step in (*detail["loc"], *at) if step != "[key]")


def _readable(path: Sequence[str | int], data: Mapping[str, Any]) -> str:
    """The key as people say it: ``ward "Cardiologie".subnets``, ``ward[2].name`` (counted from 1)."""
    words: list[str] = []
    value: Any = data
    for step in path:
        value = _inside(value, step)
        if not isinstance(step, int):
            words.append(step)
        elif isinstance(value, dict) and isinstance(value.get("name"), str) and path[-1] != "name":
            words[-1] += f' "{value["name"]}"'
        else:
            words[-1] += f"[{step + 1}]"
    return printable(".".join(words))


def _inside(value: Any, step: str | int) -> Any:  # noqa: ANN401 - a parsed TOML value is anything
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _message(detail: ErrorDetails, path: Sequence[str | int]) -> Message:
    kind = detail["type"]
    context = {key: str(value) for key, value in detail.get("ctx", {}).items()}
    context["given"] = _quoted(detail.get("ctx", {}).get("given", detail["input"]))
    if kind == "extra_forbidden":
        return _nearest(str(path[-1]), _known_keys(path), _NEAREST, _UNKNOWN)
    if kind == "unknown_ward":
        return _nearest(context["given"].strip("'\""), context["known"].split("\n"), _NEAREST_WARD, _NO_WARD)
    if kind == "unknown_channel":
        known = [name for name in context["known"].split("\n") if name]
        return _nearest(detail["ctx"]["given"], known, _NEAREST_CHANNEL, _NO_CHANNEL)
    if kind == "literal_error":
        context["known"] = ", ".join(re.findall(r"'([^']*)'", context["expected"]))
    for name in ("other", "meant"):
        context[name] = printable(context.get(name, ""))
    said = _SAYS.get(kind)
    return (
        Message(said.text, context) if said else Message(_OTHERWISE.text, {"why": printable(detail["msg"])})
    )


def _quoted(value: object) -> str:
    return printable(repr(value), 80)


def _known_keys(path: Sequence[str | int]) -> list[str]:
    table = TABLES[str(path[0]) if len(path) > 1 else ""]
    return [field.alias or name for name, field in table.model_fields.items()]


def _nearest(given: str, known: Sequence[str], near: Message, far: Message) -> Message:
    shown = _quoted(given)
    folded = {name.casefold(): name for name in reversed(known)}
    matches = get_close_matches(given.casefold(), folded, n=1)
    if matches:
        return Message(near.text, {"given": shown, "nearest": folded[matches[0]]})
    listed = (", ".join(known) or "-") if len(known) <= 20 else ", ".join((*known[:20], "…"))  # noqa: PLR2004 - one line of them
    return Message(far.text, {"given": shown, "known": listed})
