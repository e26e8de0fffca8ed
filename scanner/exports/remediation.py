"""``export remediation``: what is to be done, the most pressing first, and why it is that pressing.

Wards are not kept together: what is most pressing in a hospital comes first, wherever it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.cells import DIALECTS, harmless, row_writer
from scanner.exports.columns import TO_DO, Column, headings, texts
from scanner.exports.medical import steps_for
from scanner.inventory.findings.causes import causes
from scanner.inventory.findings.risk import risk_of
from scanner.inventory.findings.states import State
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.findings.risk import Risk
    from scanner.inventory.findings.rows import Finding
    from scanner.inventory.rows import Asset

STATES: Final = {
    State.OPEN: Message("open"),
    State.PLANNED: Message("planned"),
    State.ISOLATED: Message("isolated"),
    State.WAIVED: Message("waived"),
    State.REPLACED: Message("replaced"),
    State.CLOSED: Message("closed"),
}
"""The states as people read them, the most pressing first."""


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write the assets of which a finding is left, in the order given."""
    rows = row_writer(stream, options)
    rows.writerow(["ordre" if options.lang == "fr" else "order", *headings(_COLUMNS, options)])
    number = 0
    for asset in assets:
        if any(finding.is_live for finding in asset.findings):
            number += 1
            cells = [str(number), *texts(_COLUMNS, asset, options)]
            rows.writerow([harmless(text) for text in cells])
    return number


def _risk(asset: Asset, options: Options) -> Risk:
    where = asset.place.criticality
    return risk_of(asset.verdict, asset.identity.certainty, asset.evidence, where, options.today)


def _live(asset: Asset) -> list[Finding]:
    return [finding for finding in asset.findings if finding.is_live]


def _states(asset: Asset, options: Options) -> str:
    found = {finding.standing.state for finding in _live(asset)}
    return " / ".join(STATES[state].render(options.lang) for state in STATES if state in found)


def _findings(asset: Asset, options: Options) -> str:
    """Each finding with its id, by which it is decided."""
    known = causes()
    named = (
        (each, known[each.cause].words.render(options.lang) if each.cause in known else each.cause)
        for each in _live(asset)
    )
    return " | ".join(
        f"{each.id}: {words} ({translate(each.standing.state.value, options.lang)})" for each, words in named
    )


def _joined(texts: Iterable[object]) -> str:
    return " / ".join(dict.fromkeys(str(text) for text in texts if text))


_COLUMNS: Final = (
    Column("score", "score", lambda asset, options: str(_risk(asset, options).score)),
    Column("pourquoi", "why", lambda asset, options: _risk(asset, options).render(options.lang)),
    *TO_DO,
    Column("constats", "findings", _findings),
    Column("etat", "state", _states),
    Column("responsable", "assigned_to", lambda asset, _: _joined(f.standing.owner for f in _live(asset))),
    Column(
        "delai",
        "deadline",
        lambda asset, _: _joined(sorted(f.standing.due for f in _live(asset) if f.standing.due)),
    ),
    Column(
        "derogation_jusqu_au",
        "waived_until",
        lambda asset, _: _joined(f.standing.until for f in _live(asset)),
    ),
    Column("mesure", "measure", lambda asset, _: _joined(f.standing.measure for f in _live(asset))),
    Column("note", "note", lambda asset, _: _joined(f.note for f in _live(asset))),
    Column("si_dispositif_medical", "if_medical_device", lambda asset, o: steps_for(asset, o.lang)),
)

FORMAT: Final = Format("remediation", ".csv", write, DIALECTS, ranked=True)
