"""The letter to the biomedical service: what is sent, where and when, and how to stop it.

Its sentences stand in ``letter_en.toml`` and ``letter_fr.toml``; every figure in it comes from the code and
from the site file. It is Markdown that can be read as it is, on paper.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from textwrap import fill
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.addresses import AddressSet
from scanner.language import translate
from scanner.probes import probes
from scanner.sweep.visit import RETRIES
from scanner.transport.limits import REFUSED_PORTS
from scanner.transport.subnets import RECENT
from scanner.transport.turns import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.config import SiteFile, SiteSource, Ward
    from scanner.transport.limits import Limits, Terms

_WIDTH: Final = 78
Words: TypeAlias = "Mapping[str, str]"


@dataclass(frozen=True, slots=True)
class Leave:
    """What may be sent to a ward."""

    terms: Terms
    ports: tuple[str, ...]
    """What is asked, with its transport: ``445/tcp``."""


def letter(source: SiteSource, leaves: Mapping[str, Leave], language: str) -> str:
    """The letter about a site file.

    Args:
        source: the site file.
        leaves: by ward; one that is not there is sent nothing.
        language: that of the sentences, as far as there is a letter in it; English otherwise.
    """
    sentences = files("scanner.reports").joinpath(f"letter_{language}.toml")
    if not sentences.is_file():
        sentences, language = files("scanner.reports").joinpath("letter_en.toml"), "en"
    words = tomllib.loads(sentences.read_text("utf-8"))
    text = "\n".join(part.strip("\n") + "\n" for part in _parts(source, leaves, words, language))
    return "\n".join(_folded(line) for line in text.split("\n"))


def _parts(source: SiteSource, leaves: Mapping[str, Leave], words: Words, language: str) -> Iterator[str]:
    file = source.file
    yield words["opening"].format(
        site=file.site.name,
        finess=file.site.finess or "-",
        file=source.path.name,
        digest=source.digest,
        retries=RETRIES,
    )
    yield from _conversations(words, language)
    yield words["never"].format(refused=_ranges(REFUSED_PORTS - _named(file)))
    yield words["wards"]
    for ward in file.wards:
        yield _ward(ward, leaves.get(ward.name), words)
    yield words["exclusions"]
    yield "\n".join(f"- {exclusion}" for exclusion in file.policy.exclude) or words["no_exclusion"]
    yield words["guards"].format(every=EVERY, recent=f"{RECENT:g}")
    yield words["signed" if file.site.signed else "unsigned"].format(file=source.path.name)
    for role in file.signing.roles or ("",):
        yield words["signature"].format(role=role)


def _conversations(words: Words, language: str) -> Iterator[str]:
    for probe in probes():
        yield words["conversation"].format(
            name=probe.name,
            exchanges=probe.exchanges,
            size=probe.size,
            logs=translate(probe.logs, language) or "-",
            trouble=translate(probe.trouble, language) or "-",
        )


def _named(file: SiteFile) -> set[int]:
    """The ports that the site file names."""
    tables = (file.ports, *(ward.ports for ward in file.wards))
    named = {port for table in tables for ports in table.values() for port in ports}
    return named | {canary.port for ward in file.wards for canary in ward.canaries if canary.port}


def _ranges(ports: set[int] | frozenset[int]) -> str:
    runs = AddressSet((port, port) for port in ports).spans
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _ward(ward: Ward, leave: Leave | None, words: Words) -> str:
    places = [(key, getattr(ward, key)) for key in ("building", "floor", "unit", "owner")]
    lines = [words[key].format(value=value) for key, value in places if value]
    lines.append(words["subnets"].format(value=", ".join(ward.subnets)))
    if ward.passive_only:
        lines.append(words["passive"])
    elif leave is None:
        lines.append(words["excluded"])
    else:
        lines += _leave(ward, leave, words)
    return "\n".join([f"### {ward.name}", "", *(f"- {line}" for line in lines)])


def _leave(ward: Ward, leave: Leave, words: Words) -> Iterator[str]:
    window = leave.terms.window
    canaries = ", ".join(map(str, ward.canaries))
    yield _limits(leave.terms.limits, words)
    yield words["ports"].format(value=", ".join(leave.ports))
    yield words["hours"].format(value=window) if window else words["always"]
    yield words["canaries"].format(value=canaries) if canaries else words["no_canary"]


def _limits(limits: Limits, words: Words) -> str:
    if limits.rate is None:
        return words["unlimited"].format(profile=limits.profile, connections=limits.connections)
    return words["limits"].format(
        profile=limits.profile,
        rate=f"{limits.rate:g}",
        apart=f"{limits.host_interval:g}".replace(".", words["point"]),
        connections=limits.connections,
    )


def _folded(line: str) -> str:
    """A line of at most so many columns; headings and what is quoted stay whole."""
    if line.startswith(("#", "    ")):
        return line
    further = "  " if line.startswith("- ") else ""
    return fill(line, _WIDTH, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)
