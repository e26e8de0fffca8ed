"""A centre and three sites in network namespaces: rough links, a firewall, and the same addresses everywhere.

```
             ┌── rough link ── nord, post 1 ──┐
centre ──────┤                                ├── hospital of nord   10.20.0.0/16
(PostgreSQL) ├── rough link ── nord, post 2 ──┘   (tcpdump)
             └── … sud, est: the same addresses, other machines behind them
```

A post is a machine that a worker runs on. It sees its hospital, and of the centre one port; from the centre
nothing is opened towards it.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fleet.certificates import Authority
from tests.fleet.postgres import DATABASE, PORT, postgres
from tests.integration.crowd import crowd
from tests.integration.product import Product
from tests.integration.scenes import hosts
from tests.namespaces import Namespace, Wire, rough

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.postgres import Postgres

SITES = ("nord", "sud", "est")
CENTRE = "192.0.2.10"
HOSPITAL = "10.20.0.0/16"
POSTS = ("10.255.0.1", "10.255.0.5")
"""By what a hospital tells the two posts of its site apart."""
ROUGH = {"delay": 0.02, "loss": 0.01}
"""Each way: 40 ms and two packets of a hundred a round trip."""
CROWDS = {0: 144, 1: 144, 2: 130, 9: 20}
"""How many machines stand in each block of 256 addresses, which are one chunk each: nearly everywhere, since
silence takes its time."""
LIVING = [address for block, number in CROWDS.items() for address in hosts(f"10.20.{block}.0", number)]
UNTOUCHABLE = ("10.20.0.16/28", "10.20.1.7/32", "10.20.9.0/24")
"""Two exclusions and a passive ward; machines stand there like anywhere else."""
_GLANCE = 0.3
SITE = """[site]
name = "{name}"
establishment = "CH {name}"
group = "GHT de Démonstration"

[policy]
profile = "office"
probes = ["smb"]
exclude = ["10.20.0.16/28", "10.20.1.7"]

[[ward]]
name = "Cardiologie"
building = "A"
subnets = ["10.20.0.0/25", "10.20.0.128/28", "10.20.1.0/25", "10.20.1.128/28"]

[[ward]]
name = "Pharmacie"
building = "B"
subnets = ["10.20.2.0/25", "10.20.2.128/28"]

[[ward]]
name = "Réanimation"
passive_only = true
subnets = ["10.20.9.0/24"]
"""


@dataclass
class Post:
    """One machine of a site where a worker may run."""

    machine: Namespace
    address: str
    link: subprocess.Popen[str] = field(compare=False)
    product: Product

    def link_is(self, **orders: float) -> None:
        """What the link to the centre does from now on: the fields of ``tests.rough_link.Link``."""
        assert self.link.stdin is not None
        self.link.stdin.write(json.dumps(orders) + "\n")
        self.link.stdin.flush()


@dataclass
class Site:
    """A site: its hospital, and two posts."""

    key: str
    name: str
    hospital: Wire
    posts: tuple[Post, Post]
    file: Path
    environment: dict[str, str]
    """What a worker there must know of the centre; no argument has it."""

    def sent(self) -> list[int]:
        """How many packets of each post have reached the hospital."""
        counted = self.hospital.counted()
        return [counted[f"post{place}"] for place in range(len(self.posts))]

    def sender(self) -> int | None:
        """Which post's packets reach the hospital just now; None where nobody's do."""
        before = self.sent()
        time.sleep(_GLANCE)
        grown = [after - was for was, after in zip(before, self.sent(), strict=True)]
        return grown.index(max(grown)) if max(grown) else None


@dataclass
class Scene:
    """All of it."""

    folder: Path
    centre: Namespace
    database: Postgres
    sites: dict[str, Site]

    @property
    def product(self) -> Product:
        """The product at the centre."""
        return Product(self.folder / "centre", tuple(self.centre.command()))

    @contextmanager
    def watched(self, name: str) -> Iterator[dict[str, Path]]:
        """Record what arrives at each hospital."""
        files = {key: self.folder / f"{name}-{key}.pcap" for key in self.sites}
        with ExitStack() as recording:
            for key, file in files.items():
                hospital = self.sites[key].hospital.hospital
                recording.enter_context(hospital.recording(file, f"dst net {HOSPITAL}"))
            yield files


@contextmanager
def fleet_scene(folder: Path) -> Iterator[Scene]:
    """The scene, as long as the context lasts."""
    (folder / "centre").mkdir(parents=True)
    (folder / "keys").mkdir()
    with ExitStack() as stack:
        centre = stack.enter_context(_namespace("centre"))
        centre.run("ip", "address", "add", f"{CENTRE}/32", "dev", "lo")
        centre.run("nft", "-f", "-", stdin=_CENTRE_WALL)
        ground = _Ground(folder, centre, Authority.made(folder / "keys"))
        database = stack.enter_context(postgres(centre, CENTRE, ground.authority))
        sites = {key: stack.enter_context(_site(ground, key, number)) for number, key in enumerate(SITES)}
        yield Scene(folder, centre, database, sites)


@dataclass(frozen=True)
class _Ground:
    folder: Path
    centre: Namespace
    authority: Authority


@contextmanager
def _namespace(name: str) -> Iterator[Namespace]:
    made = Namespace(f"vtf-{name}-{os.getpid()}")
    _ip("netns", "add", made.name)
    try:
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        _ip("netns", "delete", made.name)


@contextmanager
def _site(ground: _Ground, key: str, number: int) -> Iterator[Site]:
    certificate, private = ground.authority.issue(key)
    root = ground.authority.root
    told = f"sslmode=verify-full&sslrootcert={root}&sslcert={certificate}&sslkey={private}"
    url = f"postgresql://{key}@{CENTRE}:{PORT}/{DATABASE}?{told}"
    file = ground.folder / f"{key}.toml"
    file.write_text(SITE.format(name=key.capitalize()), encoding="utf-8")
    with ExitStack() as stack:
        hospital = stack.enter_context(_namespace(f"{key}-h"))
        hospital.run("ip", "route", "add", "local", HOSPITAL, "dev", "lo")
        posts = [
            stack.enter_context(_post(ground, hospital, f"{key}{place + 1}", (number, place)))
            for place in range(len(POSTS))
        ]
        cable = Wire(posts[0].machine, hospital, subnet=HOSPITAL)
        cable.count([f"ip saddr {address} counter name post{place}" for place, address in enumerate(POSTS)])
        cable.dark_but(LIVING)
        stack.enter_context(crowd(hospital, key))
        yield Site(key, key.capitalize(), cable, (posts[0], posts[1]), file, {"VETUSTE_CENTRE": url})


@contextmanager
def _post(ground: _Ground, hospital: Namespace, name: str, place: tuple[int, int]) -> Iterator[Post]:
    """One post: a cable to its hospital, a rough link to the centre, and a wall on that."""
    folder, centre = ground.folder / name, ground.centre
    folder.mkdir()
    site, number = place
    ours = POSTS[number]
    with _namespace(name) as machine:
        words = ("link", "add", "hospital", "netns", machine.name)
        _ip(*words, "type", "veth", "peer", name, "netns", hospital.name)
        _address(machine, "hospital", f"{ours}/30")
        _address(hospital, name, f"10.255.0.{4 * number + 2}/30")
        machine.run("ip", "route", "add", HOSPITAL, "via", f"10.255.0.{4 * number + 2}")
        link = rough((machine, centre), ("centre", name), name)
        try:
            _address(machine, "centre", f"10.254.{site}.{4 * number + 1}/30")
            _address(centre, name, f"10.254.{site}.{4 * number + 2}/30")
            machine.run("ip", "route", "add", f"{CENTRE}/32", "dev", "centre")
            machine.run("nft", "-f", "-", stdin=_POST_WALL)
            post = Post(machine, ours, link, Product(folder, tuple(machine.command())))
            post.link_is(**ROUGH)
            yield post
        finally:
            link.communicate(timeout=30)


def _address(namespace: Namespace, device: str, address: str) -> None:
    namespace.run("ip", "address", "add", address, "dev", device)
    namespace.run("ip", "link", "set", device, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=60)


_CENTRE_WALL = f"""table inet wall {{
  chain arriving {{ type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ip daddr {CENTRE} tcp dport {PORT} accept
  }}
  chain leaving {{ type filter hook output priority 0; policy drop;
    oifname "lo" accept
    ip saddr {CENTRE} tcp sport {PORT} tcp flags & (syn | ack) != syn accept
  }}
}}
"""
_POST_WALL = f"""table inet wall {{
  chain leaving {{ type filter hook output priority 0; policy accept;
    oifname "centre" ip daddr {CENTRE} tcp dport {PORT} accept
    oifname "centre" counter drop
  }}
}}
"""
