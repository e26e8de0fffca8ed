"""Whether the rules and channels of a site file mean something: kinds, and the keys that each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from scanner.alerts.finding import channels, rules
from scanner.config import Alert
from scanner.errors import ConfigError
from scanner.toml import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.alerts.model import Channel, Rule
    from scanner.config import Notify, SiteFile, SiteSource

_Kind = TypeVar("_Kind", "Rule", "Channel")

_ANY_RULE: Final = frozenset({"on", "to"})
_ANY_CHANNEL: Final = frozenset({"name", "kind", "quiet"})


def check(source: SiteSource) -> None:
    """Whether every rule and channel can be carried out, whatever answers there.

    Raises:
        ConfigError: names file, line and key of the first that cannot.
    """
    tables: dict[str, Sequence[Alert | Notify]] = {
        "notify": source.file.channels,
        "alert": source.file.alerts,
    }
    for table, entries in tables.items():
        for index, each in enumerate(entries):
            try:
                _check(each)
            except ConfigError as error:
                text = source.content.decode("utf-8").removeprefix("\ufeff")
                path: list[str | int] = [table, index, *([error.key] if error.key else [])]
                key = f"{table}[{index + 1}]" + (f".{error.key}" if error.key else "")
                line = line_of(text, path)
                raise ConfigError(error.text, file=source.path, line=line, key=key, **error.values) from None


def unset_variables(file: SiteFile, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of environment variables that channels need and that are not set."""
    named = (
        getattr(channel, key)
        for channel in file.channels
        if (kind := channels().get(channel.kind))
        for key in kind.variables
    )
    return tuple(dict.fromkeys(name for name in named if name and not environment.get(name)))


def _check(table: Alert | Notify) -> None:
    fields = type(table).model_fields
    given = frozenset(fields[name].alias or name for name in table.model_fields_set)
    if isinstance(table, Alert):
        rule = _known(table.on, rules(), "on")
        _demand(given - _ANY_RULE, frozenset({rule.parameter} - {""}), frozenset())
        rule.check(table)
    else:
        channel = _known(table.kind, channels(), "kind")
        _demand(given - _ANY_CHANNEL, channel.needs, channel.may)
        channel.check(table)


def _known(name: str, kinds: Mapping[str, _Kind], key: str) -> _Kind:
    if name in kinds:
        return kinds[name]
    raise ConfigError(
        "{given} is no such kind; there are: {known}", key=key, given=repr(name), known=", ".join(kinds)
    )


def _demand(given: frozenset[str], needs: frozenset[str], may: frozenset[str]) -> None:
    for key in sorted(needs - given):
        raise ConfigError("is missing", key=key)
    for key in sorted(given - needs - may):
        known = ", ".join(sorted(needs | may)) or "-"
        raise ConfigError("means nothing for this kind, which takes: {known}", key=key, known=known)
