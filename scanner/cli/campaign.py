"""Seal scans for an audit: open, close, list, show, export, sign, verify.

A campaign is the scans of one scope over a period. Closing seals scope, versions, counts, observations and
the ledger under one digest, the head. Keep the head elsewhere, or sign it: whoever has it finds every change.
"""

from __future__ import annotations

import json
import os
import platform
import pwd
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.audit.heads import demand_head, sign_head, verify_head
from scanner.audit.verifying import verify_bundle
from scanner.campaign import Circumstances, close_campaign, export_campaign, verify_inventory
from scanner.cli.terminal.campaign_lines import (
    campaign_object,
    print_campaign,
    print_campaigns,
    print_states,
    say_what_it_proves,
)
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Day, Where, allowed_signers, formats, signing_key, today, where
from scanner.cli.terminal.output import say, tell, write_json, write_json_list
from scanner.cli.terminal.switches import Argument, Option
from scanner.data import data_version
from scanner.inventory import open_inventory
from scanner.inventory.campaigns import campaign_named, campaigns_rows, open_campaign
from scanner.language import translate
from scanner.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.audit.manifest import Manifest


def _account() -> str:
    """Who is at work, as this machine knows them; no variable of the environment decides it."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


_name: Callable[[Any], Any] = click.argument("name", cls=Argument)


@command_of(
    """Open a campaign: what is scanned from now on belongs to it.

    Its scope is the site, or the wards that are named, as the site file has them now.
    """,
    name="open",
    examples=(
        ("For the audit of a year:", "vetuste campaign open 2027 --site site.toml"),
        (
            "Of two wards, with scans that were made:",
            "vetuste campaign open Bloc --ward Bloc --from 2026-11-01",
        ),
    ),
)
@_name
@where
@click.option(
    "--ward", "wards", cls=Option, multiple=True, metavar="WARD", help="Only this one; may be repeated."
)
@click.option("--from", "since", cls=Option, type=Day(), metavar="DATE", help="Scans from this day on (UTC).")
def open_(*, name: str, where: Where, wards: tuple[str, ...], since: date | None) -> None:
    """Open it, and say what belongs to it."""
    now, site = datetime.now(UTC), where.site()
    begin = now if since is None else datetime.combine(since, time(), UTC)
    with open_inventory(where.url(), create=site is not None) as inventory:
        open_campaign(inventory, name, site=site, wards=wards, since=begin, at=now, account=_account())
    say(
        "The campaign {name} is open; scans from {since} UTC on belong to it.",
        name=name,
        since=f"{begin:%Y-%m-%d %H:%M}",
    )


@command_of(
    """Close a campaign and seal what belongs to it; print its head.

    Refused while one of its scans runs. Nothing that is sealed can be added to, or resumed, afterwards.
    """,
    name="close",
    examples=(("When the last scan has ended:", "vetuste campaign close 2027 --site site.toml"),),
)
@_name
@where
@today
@formats("table", "json")
def close(*, name: str, where: Where, today: date, form: str) -> None:
    """Close and print the head."""
    source = where.site_source()
    circumstances = Circumstances(datetime.now(UTC), today, _account(), _versions(), source)
    with open_inventory(where.url()) as inventory:
        manifest = close_campaign(inventory, name, circumstances)
    if form == "json":
        write_json({"name": name, "head": manifest.head, "rows": _rows(manifest)})
        return
    say("The campaign {name} is closed: {rows} rows are sealed.", name=name, rows=_rows(manifest))
    say("Head: {head}", head=manifest.head)
    tell("Keep the head where nobody who can write the inventory can change it, or sign it (campaign sign).")


def _versions() -> dict[str, str]:
    return {"vetuste": installed_version(), "data": data_version(), "python": platform.python_version()}


def _rows(manifest: Manifest) -> int:
    return sum(segment.rows for segment in manifest.segments)


@command_of(
    """List the campaigns: open ones, and closed ones with their heads.""",
    name="list",
    examples=(("Which there are:", "vetuste campaign list"),),
)
@where
@formats("table", "json")
def list_(*, where: Where, form: str) -> None:
    """Print one line a campaign."""
    with open_inventory(where.url()) as inventory:
        found = campaigns_rows(inventory)
    if form == "json":
        write_json_list(map(campaign_object, found))
        return
    print_campaigns(found)


@command_of(
    """Show a campaign: its scope, and once it is closed what was sealed: scans and counts by ward.

    With --json, all of the manifest but the chain.
    """,
    name="show",
    examples=(("What was sealed:", "vetuste campaign show 2027 --json | jq .counts.wards"),),
)
@_name
@where
@formats("table", "json")
def show(*, name: str, where: Where, form: str) -> None:
    """Print it."""
    with open_inventory(where.url()) as inventory:
        campaign = campaign_named(inventory, name)
    said = json.loads(campaign.manifest or "{}")
    said.pop("segments", None)
    if form == "json":
        write_json({**campaign_object(campaign), "manifest": said or None})
        return
    print_campaign(campaign, said)


@command_of(
    """Write a closed campaign as one file that anybody can verify without the inventory.

    Only its owner may read it. Answers of machines are in it as digests, unless they are asked for.
    """,
    name="export",
    examples=(("For the auditor:", "vetuste campaign export 2027 2027.tar.gz"),),
)
@_name
@click.argument(
    "file", cls=Argument, type=click.Path(path_type=Path, dir_okay=False), help="The bundle to write."
)
@where
@click.option("--with-raw", cls=Option, is_flag=True, help="With the answers of machines themselves.")
def export(*, name: str, file: Path, where: Where, with_raw: bool) -> None:
    """Export, and print the head."""
    with open_inventory(where.url()) as inventory:
        manifest = export_campaign(inventory, name, file, datetime.now(UTC), raw=with_raw)
    say(
        "The campaign {name} was exported to {file}: {rows} rows.", name=name, file=file, rows=_rows(manifest)
    )
    say("Head: {head}", head=manifest.head)


@command_of(
    """Sign the head of a closed campaign with an SSH key.

    ssh-keygen signs, and asks for the passphrase. Keep the signature beside the bundle.
    """,
    name="sign",
    examples=(
        ("With a key in a file:", "vetuste campaign sign 2027 --key ~/.ssh/id_ed25519 --out 2027.sig"),
    ),
)
@_name
@where
@signing_key
@click.option(
    "--out",
    cls=Option,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The signature to write.",
)
def sign(*, name: str, where: Where, key: Path, out: Path) -> None:
    """Sign, and say what."""
    with open_inventory(where.url()) as inventory:
        campaign = campaign_named(inventory, name, closed=True)
    sign_head(campaign.head or "", key, out)
    say("The head {head} was signed: {file}", head=campaign.head, file=out)


@command_of(
    """Verify a bundle, on any machine and without an inventory; or, without one, the inventory itself.

    A bundle is verified against its own manifest. That everything was made anew is found only where the head
    is known from elsewhere: --head, or a signature. Exit code 3 where something is not as it was sealed.
    """,
    name="verify",
    examples=(
        ("With the head that was written down:", "vetuste campaign verify 2027.tar.gz --head 5f0c…"),
        (
            "With a signature:",
            "vetuste campaign verify 2027.tar.gz --signature 2027.sig --allowed-signers allowed_signers",
        ),
        ("The inventory against its own seals:", "vetuste campaign verify"),
    ),
)
@click.argument("bundle", cls=Argument, required=False, type=click.Path(path_type=Path), help="The bundle.")
@where
@click.option("--head", cls=Option, metavar="HASH", help="The head, as it was kept elsewhere.")
@click.option(
    "--signature", cls=Option, metavar="FILE", type=click.Path(path_type=Path), help="Over the head."
)
@allowed_signers
def verify(
    *, bundle: Path | None, where: Where, head: str | None, signature: Path | None, allowed: Path | None
) -> None:
    """Verify, and say what that proves."""
    if (signature is None) != (allowed is None):
        raise click.UsageError(translate("--signature and --allowed-signers are said together"))
    if bundle is None:
        if signature is not None:
            raise click.UsageError(translate("a signature is verified with the bundle: name it"))
        with open_inventory(where.url()) as inventory:
            states = tuple(verify_inventory(inventory))
        raise click.exceptions.Exit(print_states(states, head))
    found = verify_bundle(bundle)
    if head is not None:
        demand_head(found.head, head)
    signer = "" if signature is None or allowed is None else verify_head(found.head, signature, allowed)
    name, closed = found.manifest.name, found.manifest.said.get("closed")
    say(
        "The bundle of the campaign {name}, closed {closed}, is whole: {rows} rows.",
        name=name,
        closed=closed,
        rows=found.rows,
    )
    say("Head: {head}", head=found.head)
    say_what_it_proves(signer, kept=head is not None)


command = CommandGroup(
    "campaign",
    {made.name: made for made in (open_, close, list_, show, export, sign, verify) if made.name},
    help=__doc__,
)
command.examples = (
    (
        "From the first scan to the auditor:",
        (
            "vetuste campaign open 2027\nvetuste scan\nvetuste campaign close 2027\n"
            "vetuste campaign export 2027 2027.tar.gz"
        ),
    ),
    ("On the auditor's machine:", "vetuste campaign verify 2027.tar.gz --head 5f0c…"),
)
