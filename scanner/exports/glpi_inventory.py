"""``export glpi``: a zip archive with one inventory document a machine.

GLPI takes such an archive as it is (Administration > Inventory > Import from file); unpacked, its files are
what ``glpi-injector --directory`` sends. ``export glpi-plan`` shows before what they would set.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scanner.exports import Format, dialect_of
from scanner.exports.glpi_documents import document_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset

_FIRST: Final = (1980, 1, 1, 0, 0, 0)
"""The first moment that an archive can name: the clock has no place in it."""
_PRIVATE: Final = 0o100600 << 16
"""An ordinary file that its owner alone reads, once it is unpacked."""


def write(assets: Iterable[Asset], stream: BinaryIO, options: Options) -> int:
    """Write the document of every asset that no agent manages; gives how many."""
    dialect_of((), options)
    number = 0
    with ZipFile(stream, "w") as archive:
        for asset in assets:
            document = document_of(asset)
            if document is not None:
                entry = ZipInfo(f"{document['deviceid']}.json", _FIRST)
                entry.external_attr, entry.compress_type = _PRIVATE, ZIP_DEFLATED
                archive.writestr(entry, json.dumps(document, ensure_ascii=False, indent=1))
                number += 1
    return number


FORMAT: Final = Format("glpi", ".zip", write, binary=True)
