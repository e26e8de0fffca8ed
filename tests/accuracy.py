"""How often the classification is right, undecided or wrong over real answers: ``docs/accuracy.md``.

``python tests/accuracy.py`` writes the page, ``--check`` compares it. What right, undecided and wrong mean is
told in the page itself.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scanner.classify import default_classifier  # noqa: E402 - the checkout, not what is installed
from scanner.lifecycle import judge, load_lifecycle  # noqa: E402 - the same
from scanner.model import Certainty, Status  # noqa: E402 - the same
from scanner.probes import netbios_session, smb, smb1, smb2  # noqa: E402 - the same
from tests.corpus import CORPUS, FACTS  # noqa: E402 - the same
from tests.fact_ids import our_id  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from scanner.model import Evidence, Identity, Release, Verdict

PAGE = ROOT / "docs" / "accuracy.md"
TODAY = date(2026, 11, 23)
"""The day that the truth of the corpus was established for."""
RELEASES = load_lifecycle().releases
MARKS = ("right", "undecided", "wrong")


@dataclass(frozen=True)
class Case:
    """One host or text, and what is known of it."""

    kind: str
    label: str
    evidence: Evidence
    truth: Callable[[Release], bool]
    """Whether a release is what the host is."""
    ended: bool | None
    """Whether its support has ended; None where nobody says."""
    decoy: bool = False
    """It only imitates: right is whatever is not certain."""


@dataclass(frozen=True)
class Result:
    """What was made of a case."""

    case: Case
    identity: Identity
    verdict: Verdict

    @property
    def system(self) -> str:
        """Right, undecided or wrong of the system."""
        left = [RELEASES[name] for name in self.identity.candidates]
        if self.case.decoy:
            return "wrong" if self.identity.certainty is Certainty.CERTAIN else "right"
        if not left:
            return "undecided"
        fits = [self.case.truth(release) for release in left]
        return "right" if all(fits) else "undecided" if any(fits) else "wrong"

    @property
    def dates(self) -> str:
        """Right, undecided or wrong of the verdict; empty where nobody says."""
        if self.case.ended is None:
            return ""
        told = {Status.UNSUPPORTED: True, Status.SUPPORTED: False}.get(self.verdict.status)
        return "undecided" if told is None else "right" if told is self.case.ended else "wrong"


# --- the hosts of the captures


def evidence_of(answers: Iterable[tuple[Mapping[str, Any], bytes]]) -> Evidence:
    """What the probe's own parsers read in recorded answers of one host."""
    found: dict[str, tuple[str, ...]] = {}
    for entry, raw in answers:
        for key, value in _facts(entry, raw).items():
            values = value if isinstance(value, tuple) else (value,)
            if key == "smb.dialect":
                values = max(
                    found.get(key, values), values, key=lambda agreed: (agreed[0][:1].isdigit(), agreed)
                )
            if all(values):
                found[key] = values
    return found


def _facts(entry: Mapping[str, Any], raw: bytes) -> Mapping[str, str | tuple[str, ...]]:
    told = entry.get("ntlm_challenge")
    if entry["kind"] not in {"negotiate", "sessionsetup"}:
        return {"ntlm.version": told["version"]} if told and "version" in told else {}
    body = netbios_session.smb_body(raw)
    if body.startswith(smb2.MAGIC):
        if entry["kind"] == "negotiate":
            agreed = smb2.parse_negotiate(body)
            return {} if agreed.dialect == smb2.WILDCARD else smb._dialect_facts(agreed)
        blob = smb2.parse_session_setup(body).blob
        return smb._challenge_facts(blob) if told else {}
    if entry["kind"] == "negotiate":
        negotiated = smb1.parse_negotiate(body)
        return smb._smb1_facts(negotiated) if negotiated else {}
    setup = smb1.parse_session_setup(body)
    challenge = smb._challenge_facts(setup.blob) if told else {}
    return {**challenge, "smb.native_os": setup.native_os, "smb.native_lm": setup.native_lm}


FAMILIES = {"Windows": {"Windows"}, "macOS": {"macOS"}}


def _is_host(truth: Mapping[str, str]) -> Callable[[Release], bool]:
    family = FAMILIES.get(truth["os_family"], {"Linux"})
    named = truth["os_release"].replace("Windows Code Name", "Windows pre-release")
    products = [release.product for release in RELEASES.values() if named.startswith(release.product)]
    product = max(products, key=len, default="")

    def fits(release: Release) -> bool:
        built = not truth["build"] or "Longhorn" in named or _has_build(release, truth["build"])
        return release.family in family and built and (not product or release.product == product)

    return fits


def _has_build(release: Release, number: str) -> bool:
    return any(build.rpartition(".")[2] == number for build in (*release.builds, *release.ntlm_builds))


def hosts(corpus: Path) -> Iterator[Case]:
    """Every host of the captures that answered over SMB, DCE/RPC or RDP, and whose system is known."""
    entries = json.loads((corpus / "smb-replies" / "index.json").read_text(encoding="utf-8"))
    by_host: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_host.setdefault((entry["pcap"], entry["server_ip"]), []).append(entry)
    for (pcap, address), listed in by_host.items():
        truth = listed[0]["truth"]
        evidence = evidence_of(
            (each, (corpus / "smb-replies" / each["file"]).read_bytes()) for each in listed
        )
        if evidence and truth["os_family"] != "unknown":
            label = f"{truth['os_release']} ({pcap.removesuffix('.pcap').rpartition('__')[2]}, {address})"
            ended = {"eol": True, "supported": False}.get(truth["eol_2026_11"])
            yield Case("hosts of captures", label, evidence, _is_host(truth), ended)


# --- texts


def _listed(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def strings(facts: Path) -> Iterator[Case]:
    """NativeOS and NativeLanMan as servers send them, with the releases that send them."""
    for row in _listed(facts / "smb_native_os.csv"):
        if row["direction"] != "server" or row["match"] not in {"exact", "decoy"} or "*" in row["native_os"]:
            continue
        said = {"smb.native_os": row["native_os"], "smb.native_lm": row["native_lanman"]}
        evidence = {key: (value,) for key, value in said.items() if value}
        kind = "strings of decoys" if row["match"] == "decoy" else "strings of servers"
        wanted = {our_id(name) for name in row["lifecycle_ids"].split("|") if name}
        products = {RELEASES[name].product for name in wanted if name in RELEASES}
        windows = row["vendor"] == "Microsoft"
        truth = _is_product(products) if products else _is_windows(told=windows)
        yield Case(
            kind, " / ".join(v[0] for v in evidence.values()), evidence, truth, None, row["match"] == "decoy"
        )


def _is_product(products: set[str]) -> Callable[[Release], bool]:
    return lambda release: release.product in products


def _is_windows(*, told: bool) -> Callable[[Release], bool]:
    return lambda release: (release.family == "Windows") is told


def banners(corpus: Path) -> Iterator[Case]:
    """The NativeOS and NativeLanMan examples of other people's fingerprints."""
    for row in _listed(corpus / "banners.csv"):
        if row["kind"] in {"smb.native_os", "smb.native_lm"}:
            ended = {"eol": True, "supported": False}.get(row["obsolete"])
            evidence = {row["kind"]: (row["banner"],)}
            yield Case("banners", row["banner"], evidence, _is_banner(row), ended)


def _is_banner(row: Mapping[str, str]) -> Callable[[Release], bool]:
    windows, build = row["os_vendor"] == "Microsoft", row["os_build"]
    return lambda release: (
        (release.family == "Windows") is windows
        and (not build or _has_build(release, build) or release.product == "Windows 10 Mobile")
    )


# --- the page

HEAD = f"""\
# Accuracy

Written by `make accuracy`; a test compares it. Real answers of real hosts, and texts that others collected,
classified and judged on {TODAY}. Each host of each capture, and each distinct text, counts once.

* The system is *right* when nothing but the truth is left, *undecided* when the truth is among what is left
  or nothing is left, *wrong* when the truth is not among it. For decoys, right is whatever is not certain.
* *Certain* counts the same, of those only whose candidates are said to be certain.
* The verdict is *right* when it says supported or unsupported and that is so, *undecided* when it says that
  it depends, is ending or is unknown. It counts where somebody published a date.

A host of a capture is known by its system and its build; a server's text by the releases that send it; a
banner by its build, and by being Windows or not.
"""


def results(corpus: Path, facts: Path) -> list[Result]:
    """Every case, classified and judged."""
    found, seen = [], set()
    classify = default_classifier().classify
    for case in (*hosts(corpus), *strings(facts), *banners(corpus)):
        key = (case.kind, case.label)
        if key not in seen:
            seen.add(key)
            identity = classify(case.evidence)
            found.append(
                Result(case, identity, judge([RELEASES[name] for name in identity.candidates], TODAY))
            )
    return found


@dataclass
class Tally:
    """Counts of one kind."""

    system: Counter[str] = field(default_factory=Counter)
    certain: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)


def page(found: list[Result]) -> str:
    """The page, in Markdown."""
    tallies: dict[str, Tally] = {}
    for result in found:
        tally = tallies.setdefault(result.case.kind, Tally())
        tally.system[result.system] += 1
        if result.identity.certainty is Certainty.CERTAIN:
            tally.certain[result.system] += 1
        if result.dates:
            tally.dates[result.dates] += 1
    columns = [f"{what}: {mark}" for what in ("system", "certain", "verdict") for mark in MARKS]
    lines = [HEAD, f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for kind, tally in tallies.items():
        counts = [
            str(counter[mark]) for counter in (tally.system, tally.certain, tally.dates) for mark in MARKS
        ]
        lines.append(f"| {kind} | {' | '.join(counts)} |")
    for mark in ("wrong", "undecided"):
        lines += ["", f"## {mark.capitalize()}", ""]
        named = [result for result in found if mark in {result.system, result.dates}]
        lines += [f"* {_line(result)}" for result in named] or ["None."]
    return "\n".join(lines) + "\n"


def _line(result: Result) -> str:
    left = [RELEASES[name].name for name in result.identity.candidates]
    shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
    told = f"system {result.system}" + (f", verdict {result.dates}" if result.dates else "")
    verdict = f"{result.identity.certainty}, {result.verdict.status}"
    return f"{result.case.kind}: `{result.case.label}`: {told} ({verdict}): {shown or 'nothing is left'}"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    if CORPUS is None or FACTS is None:
        sys.stderr.write("the corpus and the facts are not beside this checkout: nothing was measured\n")
        return 0
    text = page(results(CORPUS, FACTS))
    if arguments == ["--check"]:
        current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        if not current:
            sys.stderr.write("docs/accuracy.md is not what the classification gives now: make accuracy\n")
        return 0 if current else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
