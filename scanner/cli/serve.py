"""Show the inventory in a browser: the dashboard, on this machine unless it is asked for more.

Without tokens and without a proxy, whoever is at this machine may look and set findings. Beyond this machine
it is heard only with TLS or behind an authenticating proxy, and lets in only who holds a token or whom the
proxy names. A proxy on this machine is known by its address alone: whoever works on this machine can
then claim to be anybody.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.deciding import account
from scanner.cli.terminal.logs import event
from scanner.cli.terminal.options import Where, together, where
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.serving import ROLES, Network, needs_dashboard, tokens_file, tokens_option
from scanner.cli.terminal.switches import Option
from scanner.cli.terminal.token_giving import token
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from scanner.dashboard.access import Access
    from scanner.dashboard.access.binding import Binding

_FILE = click.Path(path_type=Path, dir_okay=False)
_options = together(
    click.option(
        "--host",
        cls=Option,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="Where to listen: an address of this machine (otherwise 127.0.0.1).",
    ),
    click.option(
        "--port",
        cls=Option,
        type=click.IntRange(0, 65535),
        default=8642,
        help="On which port (otherwise 8642); 0: any that is free.",
    ),
    click.option(
        "--public-name",
        cls=Option,
        multiple=True,
        metavar="HOST",
        help="What browsers call this machine; may be repeated. Other names are refused.",
    ),
    click.option("--tls-cert", cls=Option, type=_FILE, metavar="FILE", help="The certificate chain, PEM."),
    click.option("--tls-key", cls=Option, type=_FILE, metavar="FILE", help="Its private key, PEM."),
    tokens_option,
    click.option(
        "--trust-proxy",
        cls=Option,
        multiple=True,
        type=Network(),
        metavar="ADDRESS/NET",
        help="Where an authenticating proxy is; may be repeated. Its header is believed from there alone.",
    ),
    click.option(
        "--proxy-header",
        cls=Option,
        default="Remote-User",
        metavar="NAME",
        help="In which header it says who asks (otherwise Remote-User).",
    ),
    click.option(
        "--proxy-role",
        cls=Option,
        type=click.Choice(ROLES),
        help="Role of those whom the proxy names and serve token --by-proxy did not (otherwise none).",
    ),
    click.option(
        "--local-role",
        cls=Option,
        type=click.Choice(ROLES),
        help="Role of whoever is at this machine, without tokens and proxy (otherwise remediator).",
    ),
    click.option(
        "--audit-log",
        cls=Option,
        type=_FILE,
        metavar="FILE",
        help="Where logins, exports and changes are written (otherwise standard error).",
    ),
    click.option(
        "--allowed-signers",
        cls=Option,
        type=_FILE,
        metavar="FILE",
        help="Whose keys count for bundles that programs send (POST /bundles); without it none is taken.",
    ),
)


def _serve(*, where: Where, host: str, port: int, **given: Any) -> None:  # noqa: ANN401 - the options that are read by name
    """Serve, where no other command was given."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    needs_dashboard()
    from scanner.dashboard.access.binding import Binding  # noqa: PLC0415 - needs the dashboard's packages
    from scanner.dashboard.app import make_app  # noqa: PLC0415 - the same
    from scanner.dashboard.house import House  # noqa: PLC0415 - the same
    from scanner.dashboard.server import listen, run  # noqa: PLC0415 - the same

    tls = _tls(given["tls_cert"], given["tls_key"])
    names, proxied = given["public_name"], bool(given["trust_proxy"])
    file = tokens_file(where, given["tokens"])
    binding = Binding(host, tls is not None, proxied, _has_tokens(file), names)
    binding.check()
    access = _access(binding, file, given)
    access.audit.check()
    signers = given["allowed_signers"]
    with (
        listen(host, port) as heard,
        closing(House(where.url(), where.site_source(), signers=signers)) as house,
    ):
        run(make_app(house, access), heard, tls, lambda: _say(access, heard.getsockname()))
    event("dashboard_ended")
    tell("the dashboard has ended")


def _tls(cert: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key")
    return cert, key


def _has_tokens(file: Path) -> bool:
    from scanner.dashboard.access.register import read_entries  # noqa: PLC0415 - as above

    return any(entry.digest for entry in read_entries(file))


def _access(binding: Binding, file: Path, given: dict[str, Any]) -> Access:
    from scanner.dashboard.access import Access, AuditLog, Proxy, Register  # noqa: PLC0415 - as above
    from scanner.dashboard.visitor import Role, Visitor  # noqa: PLC0415 - as above

    networks: tuple[IPv4Network | IPv6Network, ...] = given["trust_proxy"]
    known = binding.tokens or binding.proxy
    if known and given["local_role"]:
        raise ConfigError("--local-role is for where there are neither tokens nor a proxy")
    if given["proxy_role"] and not networks:
        raise ConfigError("--proxy-role needs --trust-proxy")
    role, others = given["local_role"] or "remediator", given["proxy_role"] or "nobody"
    return Access(
        hosts=binding.hosts,
        local=None if known else Visitor(account(), Role[role.upper()]),
        register=Register(file) if known else None,
        proxy=Proxy(networks, given["proxy_header"], Role[others.upper()]) if networks else None,
        proxy_only=binding.beyond and not binding.tls,
        tls=binding.tls,
        audit=AuditLog(given["audit_log"]),
    )


def _say(access: Access, place: tuple[str, int]) -> None:
    host = f"[{place[0]}]" if ":" in place[0] else place[0]
    address = f"{'https' if access.tls else 'http'}://{host}:{place[1]}/"
    if access.local is not None:
        role = access.local.role.name.lower()
        tell("there are no tokens: whoever is at this machine comes in as {role}", role=role)
    event("dashboard_begun", address=address)
    tell("the dashboard is at {address} (Ctrl-C ends it)", address=address)


def _group() -> CommandGroup:
    serve = where(_options(_serve))
    made = click.command("serve", CommandGroup, help=__doc__, invoke_without_command=True)(serve)
    made.add_command(token)
    made.examples = (
        ("For whoever is at this machine:", "vetuste serve"),
        (
            "For those who hold a token, in the hospital's network:",
            "vetuste serve --host 10.20.0.5 --tls-cert cert.pem --tls-key key.pem",
        ),
        (
            "Behind a proxy on this machine that knows who asks:",
            "vetuste serve --trust-proxy 127.0.0.1 --proxy-role reader --public-name vetuste.example.org",
        ),
    )
    return made


command = _group()
