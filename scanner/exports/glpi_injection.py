"""``export glpi-injection``: a file for GLPI's plugin Data Injection, whose models map columns to fields.

``;`` between cells and no byte order mark, which the plugin would take for a part of the first heading. It
reads with PHP's fgetcsv, to which a backslash before a quotation mark is an escape: so none is written.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from scanner.exports import Format, dialect_of
from scanner.exports.cells import harmless
from scanner.exports.glpi_documents import item_type, system_of
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset

_HEADINGS: Final = {
    "fr": ("nom", "numero_serie", "systeme", "version_systeme", "lieu", "mac", "ip", "commentaire", "type"),
    "en": ("name", "serial", "os", "os_version", "location", "mac", "ip", "comment", "type"),
}
_COMMENT: Final = Message("seen by vetuste until {day}: {status}, {certainty}; {system}")


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset that no agent manages, in the order given."""
    dialect_of((), options)
    rows = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    rows.writerow(_HEADINGS.get(options.lang, _HEADINGS["en"]))
    number = 0
    for asset in assets:
        if not asset.managed:
            rows.writerow([harmless(text).replace("\\", "/") for text in _row(asset, options.lang)])
            number += 1
    return number


def _row(asset: Asset, lang: str) -> list[str]:
    place, system = asset.place, system_of(asset)
    return [
        asset.name,
        asset.identity.attributes.get("serial", ""),
        system.get("name", ""),
        system.get("version", "") or system.get("kernel_version", ""),
        " > ".join(filter(None, (place.building, place.floor, place.ward))),
        asset.mac,
        asset.address,
        _comment(asset, lang),
        item_type(asset),
    ]


def _comment(asset: Asset, lang: str) -> str:
    values = {
        "day": asset.last_seen.date().isoformat(),
        "status": translate(asset.verdict.status.value, lang),
        "certainty": translate(asset.identity.certainty.value, lang),
        "system": asset.os or translate("nothing is known of its system", lang),
    }
    return Message(_COMMENT.text, values).render(lang)


FORMAT: Final = Format("glpi-injection", ".csv", write)
