"""Carry a scan to another inventory as a file: export, import, show.

For sites without a line to the centre: by stick, or by any other way. Importing twice changes nothing, and a
bundle that is damaged or foreign is refused whole.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, allowed_signers, formats, where
from scanner.cli.terminal.output import say, say_under, tell, write_json
from scanner.cli.terminal.switches import Argument, Option
from scanner.errors import ConfigError, DataError, InventoryError
from scanner.inventory import open_inventory, scans_rows
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner.bundles import Bundle, Head
    from scanner.config import SiteFile
    from scanner.inventory import Inventory

_PATH = click.Path(path_type=Path, dir_okay=False)
_file: Callable[[Any], Any] = click.argument("file", cls=Argument, type=_PATH, help="The bundle.")


@command_of(
    """Write one scan as a bundle: what was observed, sent and visited; only its owner may read the file.

    A key signs it, with ssh-keygen, which asks for the passphrase. An unsigned bundle is imported only where
    somebody asks for that.
    """,
    name="export",
    examples=(
        ("The last scan, signed:", "vetuste bundle export latest --out chu.bundle --key ~/.ssh/id_ed25519"),
    ),
)
@click.argument("scan", cls=Argument, help="The scan's number, or latest.")
@click.option("--out", cls=Option, required=True, metavar="FILE", type=_PATH, help="The bundle to write.")
@click.option(
    "--key",
    cls=Option,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A private SSH key, or the public half of one in an agent.",
)
@where
def export(*, scan: str, out: Path, key: Path | None, where: Where) -> None:
    """Write it, and say what is in it."""
    from scanner.bundles.signing import signer  # noqa: PLC0415 - only this command needs it

    with open_inventory(where.url()) as inventory:
        number = _number(inventory, scan, where.site())
        head = _write(inventory, number, out, None if key is None else signer(key))
    say(
        "Scan {scan} of {site}, of {started} UTC, was exported to {file}.",
        scan=number,
        site=head.name or "-",
        started=f"{head.started:%Y-%m-%d %H:%M}",
        file=out,
    )
    if head.state != "done":
        tell(
            "That scan did not come to its end: a later bundle of it changes nothing where this one is known."
        )
    if key is None:
        tell("The bundle is not signed: it is imported with --unsigned only.")


def _number(inventory: Inventory, scan: str, site: SiteFile | None) -> int:
    if scan == "latest":
        found = scans_rows(inventory, None if site is None else site.site.name)
        if not found:
            raise ConfigError("there is no scan in this inventory")
        return found[0].id
    if not (scan.isascii() and scan.isdecimal() and len(scan) < 10):  # noqa: PLR2004 - digits
        raise ConfigError("{scan} is no scan: name its number, or latest", scan=repr(scan))
    return int(scan)


def _write(inventory: Inventory, scan: int, out: Path, sign: Callable[[bytes], bytes] | None) -> Head:
    """Write the file whole or not at all."""
    from scanner.bundles import write_bundle  # noqa: PLC0415 - only this command needs it
    from scanner.inventory.drafts import draft_of  # noqa: PLC0415 - the same

    try:
        with draft_of(out) as draft:
            with draft.open("wb") as stream:
                head = write_bundle(inventory, scan, stream, sign)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(out)
    except OSError as error:
        raise InventoryError(
            "the file cannot be written: {reason}", file=out, reason=os.strerror(error.errno or 0)
        ) from error
    return head


@command_of(
    """Take a bundle's scan into the inventory: all of it, or nothing.

    Whose keys count for which site says a file as ssh-keygen reads it: the name of the site, the key. What
    machines are is decided by the fingerprints of this program. Findings are settled as after a scan.
    """,
    name="import",
    examples=(("From a stick:", "vetuste bundle import /mnt/chu.bundle --allowed-signers allowed_signers"),),
)
@_file
@allowed_signers
@click.option("--unsigned", cls=Option, is_flag=True, help="Whoever made it: no signature is looked at.")
@where
@formats("table", "json")
def import_(*, file: Path, allowed: Path | None, unsigned: bool, where: Where, form: str) -> None:
    """Import it, and say what became of it."""
    from scanner.bundles.importing import import_bundle  # noqa: PLC0415 - only this command needs it

    if (allowed is None) != unsigned:
        raise click.UsageError(translate("say either --allowed-signers FILE or --unsigned"))
    site = where.site()
    with _read(file) as bundle:
        if site is not None and not where.site_file and site.site.name != bundle.head.name:
            site = None  # the file that lies here is about another site
        taken = import_bundle(where.url(), bundle, site, allowed)
        name = bundle.head.name or "-"
    if form == "json":
        write_json({"site": name, **taken.as_dict()})
    elif taken.already:
        say(
            "This scan of {site} is here already, as scan {scan}: nothing was changed.",
            site=name,
            scan=taken.scan,
        )
    else:
        text = "Scan {scan} of {site} was imported: {hosts} machines, {observations} observations."
        say(text, scan=taken.scan, site=name, hosts=taken.hosts, observations=taken.observations)
    if taken.outside:
        tell("{number} addresses lie in no ward of the site file, and were left out", number=taken.outside)


@contextmanager
def _read(file: Path) -> Iterator[Bundle]:
    """The bundle, open; what is wrong with it is said of the file."""
    from scanner.bundles import read_bundle  # noqa: PLC0415 - only these commands need it

    try:
        with file.open("rb") as stream:
            yield read_bundle(stream)
    except OSError as error:
        raise ConfigError("cannot be read: {why}", file=file, why=error.strerror or error) from error
    except DataError as error:
        error.file = error.file or file
        raise


@command_of(
    """Verify a bundle, and say which scan it carries; nothing is written, and no inventory is needed.

    Whether a signature counts is told when it is imported.
    """,
    name="show",
    examples=(("What is on the stick:", "vetuste bundle show /mnt/chu.bundle"),),
)
@_file
@formats("table", "json")
def show(*, file: Path, form: str) -> None:
    """Print its head."""
    with _read(file) as bundle:
        told = _told(bundle)
    if form == "json":
        write_json(told)
        return
    say("A scan of {site}, whole and as it was written.", site=told["site"] or "-")
    for name in ("scope", "profile", "state", "started", "ended"):
        say_under("{name}: {value}", name=translate(name), value=told[name] or "-")
    for table, number in told["rows"].items():
        say_under("{name}: {value}", name=table, value=number)
    say_under("{name}: {value}", name="SHA-256", value=told["digest"])
    say_under("signed, by whom is told when it is imported" if told["signed"] else "not signed")


def _told(bundle: Bundle) -> dict[str, Any]:
    head = bundle.head
    return {
        "site": head.name,
        "profile": head.profile,
        "scope": head.scope,
        "state": head.state,
        "started": head.started.isoformat(),
        "ended": None if head.ended is None else head.ended.isoformat(),
        "versions": dict(head.versions),
        "rows": bundle.rows,
        "digest": bundle.digest,
        "signed": bundle.signature is not None,
    }


command = CommandGroup(
    "bundle", {made.name: made for made in (export, import_, show) if made.name}, help=__doc__
)
command.examples = (
    (
        "From a site to the centre:",
        "vetuste bundle export latest --out chu.bundle --key ~/.ssh/id_ed25519",
    ),
    ("At the centre:", "vetuste bundle import chu.bundle --allowed-signers allowed_signers"),
)
