"""Look after the scope of scans: check, sign, verify, letter.

The scope is the site file: its wards, exclusions, hours and limits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.audit.doubts import Known, doubts
from scanner.audit.signatures import sign, signature_file, verify
from scanner.cli.checkup.installation import url_is_absent
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import DONE, FINDINGS, WRONG
from scanner.cli.terminal.options import Where, formats, out, signing_key, where
from scanner.cli.terminal.output import complain, machine, say, tell, write_json_list, write_line
from scanner.cli.terminal.switches import Option, switches
from scanner.errors import ConfigError
from scanner.inventory import Filters, assets_rows, open_inventory
from scanner.transport.limits import REFUSED_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.config import SiteFile, SiteSource
    from scanner.reports.letter import Leave


def _source(where: Where) -> SiteSource:
    source = where.site_source()
    if source is None:
        raise ConfigError("there is no site file: name one with --site (docs/site-file.md)")
    return source


@command_of(
    """List what a site file allows and yet may not mean.

    Wards inside others, public addresses, exclusions that protect nothing, biomedical wards without care,
    machines of the inventory outside every ward, and more. What is plainly wrong is an error everywhere.
    """,
    name="check",
    examples=(
        ("Before anybody signs:", "vetuste scope check --site site.toml"),
        ("For a script: exit code 1 where there is a doubt:", "vetuste scope check --fail-on doubt --json"),
    ),
)
@where
@click.option(
    "--fail-on", cls=Option, type=click.Choice(["doubt"]), help="End with code 1 where there is a doubt."
)
@formats("table", "json")
def check(*, where: Where, fail_on: str | None, form: str) -> None:
    """Look, and print one line a doubt."""
    source = _source(where)
    found = doubts(source.file, Known(_machines(where), REFUSED_PORTS))
    if form == "json":
        write_json_list({"doubt": each.kind, "key": each.key, "says": each.says.render()} for each in found)
    else:
        for each in found:
            write_line(": ".join(part for part in (source.path.name, each.key, each.says.render()) if part))
        say("Doubts: {number}.", number=len(found))
    raise click.exceptions.Exit(FINDINGS if found and fail_on else DONE)


def _machines(where: Where) -> Iterator[tuple[str, str]]:
    """The machines of the inventory, where there is one: every address, and the site."""
    if url_is_absent(where):
        return
    with open_inventory(where.url()) as inventory:
        for asset in assets_rows(inventory, Filters(), today=datetime.now(UTC).date()):
            for address in (asset.address, *asset.addresses):
                yield address, asset.place.site


@command_of(
    """Sign a site file as it stands, for a role that it names.

    ssh-keygen signs, and asks for the passphrase; the signature is put beside the site file.
    """,
    name="sign",
    examples=(
        ("With a key in a file:", "vetuste scope sign --role biomedical --key ~/.ssh/id_ed25519"),
        ("With a key in an agent:", "vetuste scope sign --role rssi --key ~/.ssh/id_ed25519.pub"),
    ),
)
@where
@click.option("--role", cls=Option, required=True, metavar="ROLE", help="One of [signing] roles.")
@signing_key
def sign_(*, where: Where, role: str, key: Path) -> None:
    """Sign, and look at once whether it counts."""
    source = _source(where)
    file = sign(source, role, key)
    say("{role} has signed {site}: {file}", role=role, site=source.path.name, file=file)
    try:
        verify(source, role)
    except ConfigError as error:
        complain(error)


@command_of(
    """Say who has signed a site file, with which key, and why a signature does not count.

    Exit code 2 where signatures are demanded (signed = true) and one of them does not count.
    """,
    name="verify",
    examples=(("Before a scan:", "vetuste scope verify --site site.toml"),),
)
@where
@formats("table", "json")
def verify_(*, where: Where, form: str) -> None:
    """Verify every role's."""
    source = _source(where)
    found = [(role, *_checked(source, role)) for role in source.file.signing.roles]
    if form == "json":
        write_json_list(
            {"role": role, "file": str(signature_file(source, role)), "key": key or None, "why": why or None}
            for role, key, why in found
        )
    else:
        for role, key, why in found:
            if why:
                say("{role}: no: {why}", role=role, why=why)
            else:
                say("{role}: signed with the key {key}", role=role, key=key)
    if not source.file.site.signed:
        tell("This file demands no signature: signed = true is missing in [site].")
    missing = any(why for _, _, why in found)
    raise click.exceptions.Exit(WRONG if missing and source.file.site.signed else DONE)


def _checked(source: SiteSource, role: str) -> tuple[str, str]:
    """The key, or why there is none that counts."""
    try:
        return verify(source, role), ""
    except ConfigError as error:
        return "", str(error)


@command_of(
    """Write the letter to the biomedical service: what is sent where and when, and how to stop it.

    Markdown in the language of --lang, otherwise in that of the site file.
    """,
    name="letter",
    examples=(
        ("In French, into a file:", "vetuste scope letter --lang fr --out courrier.md"),
        ("To the printer:", "vetuste scope letter | lp"),
    ),
)
@where
@out
def letter_(*, where: Where, out: str) -> None:
    """Write it."""
    from scanner.reports.letter import letter  # noqa: PLC0415 - probes, transport: only this verb needs them

    source = _source(where)
    text = letter(source, _leaves(source.file), switches().language or source.file.site.language)
    if out == "-":
        machine().write(text)
    else:
        Path(out).write_text(text, encoding="utf-8")
        tell("The letter was written to {file}.", file=out)


def _leaves(file: SiteFile) -> dict[str, Leave]:
    """What a scan of the whole site may send to each ward."""
    from scanner.probes import probes  # noqa: PLC0415 - the same
    from scanner.reports.letter import Leave  # noqa: PLC0415 - the same
    from scanner.scan import Request, prepare  # noqa: PLC0415 - the same
    from scanner.transport.descriptors import descriptor_limit  # noqa: PLC0415 - the same

    ground = prepare(Request(site=file, allow_public=True), descriptor_limit())
    leaves = {}
    for _, terms in ground.shares:
        asked = [(port, probe) for probe in probes() for port, _ in ground.gate.services(probe, terms).ports]
        leaves[terms.ward] = Leave(terms, tuple(f"{port}/{probe.transport}" for port, probe in asked))
    return leaves


command = CommandGroup(
    "scope",
    {made.name: made for made in (check, sign_, verify_, letter_) if made.name},
    help=__doc__,
)
command.examples = (
    ("What may not be meant:", "vetuste scope check"),
    (
        "Explain it, sign it, verify it:",
        (
            "vetuste scope letter --out letter.md\n"
            "vetuste scope sign --role biomedical --key ~/.ssh/id_ed25519\n"
            "vetuste scope verify"
        ),
    ),
)
