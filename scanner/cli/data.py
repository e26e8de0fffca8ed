"""Look after fingerprints and dates of support: check those of the site, or all that is in force.

Data is TOML: releases with their dates, and patterns over what machines say. A site may have a directory of
its own that overrides and extends what ships; docs/adding-a-product.md tells the form.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.classify import Classifier
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, today, where
from scanner.cli.terminal.output import say, say_under
from scanner.cli.terminal.switches import Argument
from scanner.data import data_directories, read_toml
from scanner.fingerprints import Fingerprints, load_fingerprints, read_fingerprint_file
from scanner.lifecycle import load_lifecycle, read_lifecycle, unchecked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from scanner.model import Release


@command_of(
    """Judge a file of data by every rule, as if it lay in the site's own directory.

    Without a FILE: all that is in force. Releases whose dates nobody has checked for a year are listed. What
    is wrong is named with file, line, entry and rule, and the exit code is 2.
    """,
    name="check",
    examples=(
        ("A hospital's own modalities:", "vetuste data check data/lifecycle/modalities.toml"),
        ("All that is in force here:", "vetuste data check"),
    ),
)
@click.argument("file", required=False, cls=Argument, type=click.Path(path_type=Path))
@where
@today
def check(*, file: Path | None, where: Where, today: date) -> None:  # noqa: ARG001 - it names the site's own data
    """Read it beside everything else."""
    if file is None:
        _check_everything(today)
    elif "release" in read_toml(file)[0]:
        _check_releases(file, today)
    else:
        _check_fingerprints(file)


def _check_everything(today: date) -> None:
    lifecycle, fingerprints = load_lifecycle(), load_fingerprints()
    Classifier(fingerprints, lifecycle)
    say(
        "{releases} releases, {fingerprints} fingerprints of {keys} keys: every rule is kept",
        releases=len(lifecycle.releases),
        fingerprints=sum(map(len, fingerprints.by_key.values())),
        keys=len(fingerprints.by_key),
    )
    _tell_unchecked(lifecycle.releases.values(), today)


def _check_releases(file: Path, today: date) -> None:
    known = load_lifecycle().releases
    lifecycle = read_lifecycle(*data_directories(), files=(file,))
    Classifier(load_fingerprints(), lifecycle)
    mine = [each for name, each in lifecycle.releases.items() if known.get(name) != each]
    new = sum(each.id not in known for each in mine)
    say(
        "{file}: every rule is kept; releases: {new} new, {other} that replace others",
        file=file,
        new=new,
        other=len(mine) - new,
    )
    _tell_unchecked(mine, today)


def _check_fingerprints(file: Path) -> None:
    found, known = read_fingerprint_file(file), load_fingerprints()
    key = found[0].key
    Classifier(Fingerprints({key: (*found, *known.by_key.get(key, ()))}), load_lifecycle())
    say(
        "{file}: every rule is kept; fingerprints of {key}: {number}, asked before the others",
        file=file,
        key=key,
        number=len(found),
    )


def _tell_unchecked(releases: Iterable[Release], today: date) -> None:
    old = unchecked(releases, today)
    if old:
        say("nobody has checked these for a year:")
    for release in old:
        say_under(
            "{release}: checked on {date} ({source})",
            release=release.id,
            date=release.checked,
            source=release.source,
        )


command = CommandGroup("data", {"check": check}, help=__doc__)
command.examples = (("Is our own data right?", "vetuste data check data/lifecycle/modalities.toml"),)
