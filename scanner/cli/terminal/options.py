"""Options that several commands have, with one meaning."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.switches import Option
from scanner.data import use_own
from scanner.errors import ConfigError
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from scanner.config import SiteFile, SiteSource

DATABASE = "sqlite:///inventory.db"
SITE = "site.toml"


@dataclass(frozen=True, slots=True)
class Where:
    """Which inventory and which site a command is about."""

    database: str = ""
    """As asked: a URL, a path, or nothing."""
    site_file: str = ""
    """As asked: a path, or nothing."""

    def site_path(self) -> Path | None:
        """The site file: as asked, or ``site.toml`` here if there is one.

        Raises:
            ConfigError: the one that was asked for is not there.
        """
        if not self.site_file:
            return Path(SITE) if Path(SITE).is_file() else None
        if not Path(self.site_file).is_file():
            raise ConfigError("no such site file; --site or VETUSTE_SITE names it", file=self.site_file)
        return Path(self.site_file)

    def site(self) -> SiteFile | None:
        """The site file, read and checked; None where there is none."""
        source = self.site_source()
        return None if source is None else source.file

    def site_source(self) -> SiteSource | None:
        """The same, with the bytes that it stands in."""
        from scanner.config import read_site  # noqa: PLC0415 - pydantic, 0.1 s

        path = self.site_path()
        source = None if path is None else read_site(path)
        if source is not None and (source.file.alerts or source.file.channels):
            from scanner.alerts import check  # noqa: PLC0415 - only where there are rules: known now, and not at night

            check(source)
        return source

    def url(self) -> str:
        """The inventory: ``--db``, ``VETUSTE_DB``, the site file's, ``inventory.db`` here."""
        if self.database:
            return self.database if "://" in self.database else f"sqlite:///{self.database}"
        path = self.site_path()
        if path is None:
            return DATABASE
        from scanner.config import inventory_url  # noqa: PLC0415 - only where a site file is

        return inventory_url(path) or DATABASE

    def own_data(self) -> Path | None:
        """The directory of the site's own data that its site file names."""
        path = self.site_path()
        if path is None:
            return None
        from scanner.config import own_data  # noqa: PLC0415 - only where a site file is

        return own_data(path)


def together(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Several options of a command as one decorator, in the order in which its help has them."""
    return lambda function: reduce(lambda made, option: option(made), reversed(options), function)


def where(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--db``, ``--site`` and ``--data``; handed to the command as ``where``, a :class:`Where`."""

    @wraps(function)
    def told(*, db: str | None, site: str | None, data: str | None, **others: object) -> object:
        asked = Where(db or os.environ.get("VETUSTE_DB", ""), site or os.environ.get("VETUSTE_SITE", ""))
        use_own(cache(lambda: _asked_data(data) or asked.own_data()))
        return function(where=asked, **others)

    return together(
        click.option(
            "--db",
            cls=Option,
            metavar="URL",
            help="The inventory: a file or a URL (otherwise VETUSTE_DB, the site file, ./inventory.db).",
        ),
        click.option(
            "--site",
            cls=Option,
            metavar="FILE",
            help="The site file (otherwise VETUSTE_SITE, ./site.toml).",
        ),
        _DATA,
    )(told)


def own_data(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--data`` alone, for commands that need no inventory and no site."""

    @wraps(function)
    def told(*, data: str | None, **others: object) -> object:
        use_own(lambda: _asked_data(data))
        return function(**others)

    return _DATA(told)


def _asked_data(data: str | None) -> Path | None:
    asked = data or os.environ.get("VETUSTE_DATA", "")
    return Path(asked) if asked else None


_DATA = click.option(
    "--data",
    cls=Option,
    metavar="DIR",
    help="Data of the site's own, before that of the product (otherwise VETUSTE_DATA, the site file).",
)


def formats(*allowed: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--format`` and its short forms ``--json`` and ``--jsonl``, handed over as ``form``.

    Args:
        *allowed: the formats of the command; the first is the default.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def formed(**others: Any) -> object:  # noqa: ANN401 - what click hands over
            return function(form=_form(others, allowed), **others)

        made: Callable[..., Any] = formed
        for short in ("jsonl", "json"):
            if short in allowed:
                made = click.option(f"--{short}", cls=Option, is_flag=True, help=_SHORT[short])(made)
        return click.option(
            "--format",
            "form",
            cls=Option,
            type=click.Choice(allowed),
            help="How to print; the first is the default.",
        )(made)

    return decorate


_SHORT = {"json": "The same as --format json.", "jsonl": "The same as --format jsonl."}


def _form(given: dict[str, Any], allowed: tuple[str, ...]) -> str:
    asked = {short for short in ("json", "jsonl") if given.pop(short, False)}
    form = given.pop("form")
    asked |= {form} if form else set()
    if len(asked) > 1:
        text = translate("these say different things: {formats}")
        raise click.UsageError(text.format(formats=", ".join(sorted(asked))))
    return asked.pop() if asked else allowed[0]


def today(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--today``: judge as if it were another day, so that a result can be had again."""
    return click.option(
        "--today",
        cls=Option,
        type=Day(),
        default=lambda: datetime.now().astimezone().date(),
        show_default=False,
        metavar="DATE",
        help="Judge as of this day, 2026-11-23 (otherwise today).",
    )(function)


class Day(click.ParamType[date]):
    """A day, as ISO 8601 writes it."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day of a text."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(
                translate("{value} is not a day such as 2026-11-23").format(value=repr(value)), param, ctx
            )


class Words(click.ParamType[tuple[str, ...]]):
    """Words of a closed set, commas between them."""

    name = "words"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - as click has it
        """The words, as the help shows them."""
        return f"[{'|'.join(self.allowed)}]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The words of a text."""
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip().lower() for word in str(value).split(","))
        for word in words:
            if word not in self.allowed:
                text = translate("{word} is none of {allowed}")
                self.fail(text.format(word=repr(word), allowed=", ".join(self.allowed)), param, ctx)
        return words

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click has it
        param: click.Parameter,  # noqa: ARG002 - the same
        incomplete: str,
    ) -> list[CompletionItem]:
        """What may stand after the last comma."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion needs it

        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{word}") for word in self.allowed if word.startswith(begun)]


def flat(words: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The words of an option given several times, each once."""
    return tuple(dict.fromkeys(word for given in words for word in given))


def rows_by(words: tuple[str, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--by``: what a row of figures is, one of these words or several of them."""
    return click.option(
        "--by",
        cls=Option,
        type=Words(words),
        multiple=True,
        help="What a row is; several give a row each; ward otherwise.",
    )


out = click.option(
    "--out", cls=Option, default="-", metavar="FILE", help="The file to write; - is standard output."
)
"""Where what is made goes."""

signing_key = click.option(
    "--key",
    cls=Option,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A private SSH key, or the public half of one in an agent.",
)
"""What signs, as ssh-keygen takes it."""

allowed_signers = click.option(
    "--allowed-signers",
    "allowed",
    cls=Option,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Whose keys count, as ssh-keygen reads it.",
)
"""Whose signatures count."""
