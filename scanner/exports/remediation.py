"""``export remediation``: what is to be done, ward by ward, the surest and longest overdue first."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.actions import action_for
from scanner.exports.cells import DIALECTS, harmless, row_writer
from scanner.exports.columns import TO_DO, headings, texts
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset

_STATUSES: Final = (Status.UNSUPPORTED, Status.DEPENDS)
_CERTAINTIES: Final = tuple(Certainty)


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write the assets that are unsupported, or may be; the wards stay in the order given."""
    rows = row_writer(stream, options)
    rows.writerow(["ordre" if options.lang == "fr" else "order", *headings(TO_DO, options)])
    number = 0
    due = (asset for asset in assets if asset.verdict.status in _STATUSES)
    for _, ward in groupby(due, key=lambda asset: (asset.place.site, asset.place.ward)):
        for asset in sorted(ward, key=lambda asset: _urgency(asset, options.today)):
            number += 1
            cells = [str(number), *texts(TO_DO, asset, options)]
            rows.writerow([harmless(text) for text in cells])
    return number


def _urgency(asset: Asset, today: date) -> tuple[int, int, date]:
    """Status, then certainty, then what is longest overdue; sorting keeps the order of addresses."""
    due = action_for(asset, today).due or today
    return _STATUSES.index(asset.verdict.status), _CERTAINTIES.index(asset.identity.certainty), due


FORMAT: Final = Format("remediation", ".csv", write, DIALECTS)
