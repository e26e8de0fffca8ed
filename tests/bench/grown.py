"""The data as it will be: ``python -m tests.bench.grown FOLDER`` makes a checkout with five times as much.

Of each fingerprint there are copies with other beginnings and with other ends, each with its own proofs; of
each release there are copies of other families, so that what a machine says is still of as many candidates.
"""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from scanner.fingerprints.quantifiers import UnsafeError, check_pattern

ROOT: Final = Path(__file__).parents[2]
AFTER: Final = (("Q1z", ""), ("Q2z", ""))
"""What copies begin and end with; these stand after what they are copies of,"""
BEFORE: Final = (("", " Yz1"), ("", " Yz2"))
"""and these before it, or it would win their examples."""


def _toml(value: Any) -> str:  # noqa: ANN401 - TOML is anything
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_toml(each)}' for key, each in value.items())} }}"
    return json.dumps(value) if isinstance(value, str | bool | int) else value.isoformat()


def _table(head: str, values: dict[str, Any]) -> str:
    return "\n".join([head, *(f"{json.dumps(key)} = {_toml(value)}" for key, value in values.items()), ""])


def _copy(entry: dict[str, Any], begin: str, end: str) -> dict[str, Any]:
    pattern = f"{begin}(?:{entry['pattern']}){end}"
    check_pattern(pattern)
    examples = [{**each, "value": f"{begin}{each['value']}{end}"} for each in entry["examples"]]
    refuses = [f"{begin}{value}{end}" for value in entry["refuses"]]
    name = f"{entry['name']}, {begin}{end}"
    return {**entry, "name": name, "pattern": pattern, "examples": examples, "refuses": refuses}


def _grow_fingerprints(file: Path) -> None:
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    entries: list[dict[str, Any]] = content.pop("fingerprint")
    made: list[list[dict[str, Any]]] = [[], []]
    for place, ends in enumerate((BEFORE, AFTER)):
        for entry in entries:
            for end in ends:
                with suppress(UnsafeError):
                    made[place].append(_copy(entry, *end))
    tables = (_table("[[fingerprint]]", each) for each in (*made[0], *entries, *made[1]))
    file.write_text("\n".join([_table("", content), *tables]), encoding="utf-8")


def _grow_releases(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    for key, release in content["release"].items():
        if release.get("anything"):
            continue
        for number in range(3):
            names = {
                name: f"{release.get(name, content.get(name, 'x'))} copy {number}"
                for name in ("name", "product", "family")
            }
            kept = {name: value for name, value in release.items() if name not in {"build", "ntlm"}}
            text += "\n" + _table(f"[release.{json.dumps(f'{key}-copy-{number}')}]", {**kept, **names})
    file.write_text(text, encoding="utf-8")


def grow(folder: Path) -> None:
    """Make the checkout there; the code in it is this one's."""
    for name in ("scanner", "tests"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "cli.py", folder)
    shutil.copytree(ROOT / "fingerprints", folder / "fingerprints")
    for file in (folder / "fingerprints").rglob("*.toml"):
        (_grow_releases if file.parent.name == "lifecycle" else _grow_fingerprints)(file)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir()
    grow(Path(sys.argv[1]))
