"""What can be done about medical devices: their CE mark leaves upgrades to the manufacturer."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.inventory.rows import Asset


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("scanner.exports").joinpath("medical.toml").read_text("utf-8"))


def may_be_medical(asset: Asset) -> bool:
    """Whether its evidence, its identity or its ward's owner says that it may be a medical device."""
    marks = _data()["marks"]
    return (
        asset.identity.attributes.get("device", "") in marks["devices"]
        or any(key.startswith(tuple(marks["evidence"])) for key in asset.evidence)
        or asset.place.owner.casefold() in marks["owners"]
    )


def steps_for(asset: Asset, language: str) -> str:
    """What can be done, step by step; empty where it is no medical device."""
    if not may_be_medical(asset):
        return ""
    steps = (
        step
        for step in _data()["step"]
        if "evidence" not in step or set(step["values"]) & set(asset.evidence.get(step["evidence"], ()))
    )
    return " | ".join(step["fr" if language == "fr" else "en"] for step in steps)
