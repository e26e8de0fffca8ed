"""``export glpi-plan``: what ``export glpi`` would set in GLPI, one machine a row, for people to agree to.

Nothing is known here of what GLPI holds: every field is shown as one that would be set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.cells import DIALECTS, harmless, row_writer
from scanner.exports.glpi_documents import device_id, document_of, fields_of, item_type
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset

_HEADINGS: Final = {
    "fr": ("id_actif", "ip", "nom", "type_glpi", "deviceid", "effet", "champs"),
    "en": ("asset_id", "ip", "name", "itemtype", "deviceid", "effect", "fields"),
}


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset, those that an agent manages too: they are left out of the other export."""
    rows = row_writer(stream, options)
    rows.writerow(_HEADINGS.get(options.lang, _HEADINGS["en"]))
    number = 0
    for asset in assets:
        rows.writerow([harmless(text) for text in _row(asset, options.lang)])
        number += 1
    return number


def _row(asset: Asset, lang: str) -> list[str]:
    document = document_of(asset)
    if document is None:
        effect, fields = translate("left out: an agent manages it", lang), ""
    else:
        effect = translate("set what is named, touch nothing else", lang)
        fields = " | ".join(f"{name}={value}" for name, value in fields_of(document).items())
    return [str(asset.id), asset.address, asset.name, item_type(asset), device_id(asset), effect, fields]


FORMAT: Final = Format("glpi-plan", ".csv", write, DIALECTS)
