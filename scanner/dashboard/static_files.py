"""Scripts and styles: those of the package, each known by what is in it, and no other file."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

FOLDER: Final = Path(__file__).parent / "static"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    packed: bytes
    kind: str
    version: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Every file of the folder itself, by name: what is not in here cannot be had."""
    found = (each for each in FOLDER.iterdir() if each.is_file() and not each.name.startswith("."))
    return {each.name: _read(each) for each in found}


def _read(file: Path) -> StaticFile:
    content = file.read_bytes()
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0)
    return StaticFile(content, packed, kind, sha256(content).hexdigest()[:12])


def static(name: str) -> str:
    """The address of a file: another one whenever it changes."""
    return f"/static/{name}?v={static_files()[name].version}"


async def answer_static(request: Request) -> Response:
    """A file; kept by browsers for good where it is asked for as it is now."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    kept = request.query_params.get("v") == found.version
    headers = {
        "cache-control": _FOR_GOOD if kept else "no-cache",
        "etag": f'"{found.version}"',
        "vary": "accept-encoding",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", "") and len(found.packed) < len(found.content):
        return Response(found.packed, headers={**headers, "content-encoding": "gzip"}, media_type=found.kind)
    return Response(found.content, headers=headers, media_type=found.kind)
