"""The audit columns (design, section 4.5): one function a column, one name a language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.classify.makers import maker_of
from scanner.exports.actions import action_for
from scanner.language import Message, translate
from scanner.model import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from scanner.exports import Options
    from scanner.inventory.rows import Asset

Cell: TypeAlias = "str | Missing"
"""A cell's text; nothing is known where it is empty, nobody asked where it is missing."""


class Of(Enum):
    """What the cells of a column depend on, but for the language and the day: what machines may share."""

    PLACE = "place"
    """Its place alone."""
    JUDGEMENT = "judgement"
    """Candidates, verdict, attributes and certainty, and whether SMB1 is on."""
    MACHINE = "machine"
    """Anything."""


class Kind(Enum):
    """What the cells of a column hold, where they hold anything."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    """``2026-11-23``"""
    MOMENT = "moment"
    """``2026-11-20T08:00:00Z``"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the audit export."""

    fr: str
    en: str
    cell: Callable[[Asset, Options], Cell]
    of: Of = Of.MACHINE
    kind: Kind = Kind.TEXT


def texts(columns: Iterable[Column], asset: Asset, options: Options) -> list[str]:
    """The cells of an asset's row, in the language that is asked for."""
    cells = (column.cell(asset, options) for column in columns)
    return [translate(cell.value, options.lang) if isinstance(cell, Missing) else cell for cell in cells]


def headings(columns: Iterable[Column], options: Options) -> list[str]:
    """The names of columns, in the language that is asked for."""
    return [column.fr if options.lang == "fr" else column.en for column in columns]


def _joined(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(filter(None, values)))


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")[: len("2026-11-20T08:00:00")] + "Z"  # always in UTC


def _heard(asset: Asset, key: str) -> Cell:
    """The values of a key; where the probe that would have told was not held, nobody asked."""
    if key in asset.evidence:
        return _joined(asset.evidence[key])
    probe = key.partition(".")[0]
    return "" if probe in asset.asked else Missing.NOT_ASKED


def _smb1(asset: Asset, options: Options) -> Cell:
    """Whether SMB1 is on; the key is absent where SMB answered, but this was not asked."""
    if "smb.smb1" not in asset.evidence and any(map(_OF_SMB, asset.evidence)):
        return Missing.NOT_ASKED
    found = _heard(asset, "smb.smb1")
    return found if isinstance(found, Missing) else translate(found, options.lang)


_OF_SMB: Final = re.compile(r"smb2?\.").match


WORDS: Final = (Message("enabled"), Message("disabled"), Message("optional"), Message("supported"))
"""Words of evidence that people read; ``required``, ``yes`` and ``no`` are in the catalogue anyway."""


def _worded(key: str) -> Callable[[Asset, Options], Cell]:
    """The cell of a key whose values are such words."""

    def cell(asset: Asset, options: Options) -> Cell:
        found = _heard(asset, key)
        return found if isinstance(found, Missing) else translate(found, options.lang)

    return cell


def _mac(asset: Asset, _: Options) -> Cell:
    return asset.mac or ("" if "netbios" in asset.asked else Missing.NOT_ASKED)


def _maker(asset: Asset, _: Options) -> Cell:
    said = asset.evidence.get("mac.vendor", ())
    known = _joined(said) or maker_of(asset.mac) or asset.identity.attributes.get("hardware", "")
    return known or ("" if asset.mac else Missing.NOT_ASKED)


def _type(asset: Asset, options: Options) -> str:
    roles = dict.fromkeys(release.role.value for release in asset.candidates)
    return asset.identity.attributes.get("device") or _joined(translate(role, options.lang) for role in roles)


def _unit(asset: Asset, _: Options) -> str:
    ward, unit = asset.place.ward, asset.place.unit
    return f"{ward} ({unit})" if ward and unit else ward or unit


def _family(asset: Asset, _: Options) -> str:
    return _joined(release.family for release in asset.candidates) or asset.identity.attributes.get(
        "family", ""
    )


def _label(asset: Asset, _: Options) -> str:
    return asset.candidates[0].name if len(asset.candidates) == 1 else asset.os


def _builds(asset: Asset, _: Options) -> str:
    return _joined(build for release in asset.candidates for build in release.builds)


def _editions(asset: Asset, _: Options) -> str:
    return _joined(release.name for release in asset.candidates)


def _proofs(asset: Asset, _: Options) -> str:
    return " | ".join(f"{key}={value}" for key, values in asset.evidence.items() for value in values)


@lru_cache(maxsize=1 << 10)
def _method(probes: frozenset[str]) -> str:
    return " + ".join(sorted(probes))


def _esu(asset: Asset, _: Options) -> str:
    return _day(max((release.esu_end for release in asset.candidates if release.esu_end), default=None))


def _action(asset: Asset, options: Options) -> str:
    what = action_for(asset, options.today).what
    return "" if what is None else what.render(options.lang)


AUDIT: Final = (
    Column("ght", "group", lambda asset, _: asset.place.group, Of.PLACE),
    Column(
        "etablissement",
        "establishment",
        lambda asset, _: asset.place.establishment or asset.place.site,
        Of.PLACE,
    ),
    Column("finess", "finess", lambda asset, _: asset.place.finess, Of.PLACE),
    Column("site", "site", lambda asset, _: asset.place.site, Of.PLACE),
    Column("batiment", "building", lambda asset, _: asset.place.building, Of.PLACE),
    Column("etage", "floor", lambda asset, _: asset.place.floor, Of.PLACE),
    Column("service_uf", "unit", _unit, Of.PLACE),
    Column("vlan", "vlan", lambda asset, _: asset.place.vlan, Of.PLACE),
    Column("sous_reseau", "subnet", lambda asset, _: asset.place.subnet, Of.PLACE),
    Column("id_actif", "asset_id", lambda asset, _: str(asset.id), kind=Kind.NUMBER),
    Column("nom_netbios", "netbios_name", lambda asset, _: asset.name),
    Column("fqdn", "fqdn", lambda asset, _: asset.fqdn),
    Column("domaine", "domain", lambda asset, _: asset.domain),
    Column("ip", "ip", lambda asset, _: asset.address),
    Column("autres_ip", "other_ips", lambda asset, _: " ".join(asset.addresses)),
    Column("mac", "mac", _mac),
    Column("constructeur", "manufacturer", _maker),
    Column("type", "type", _type, Of.JUDGEMENT),
    Column("proprietaire", "owner", lambda asset, _: asset.place.owner, Of.PLACE),
    Column("os_famille", "os_family", _family, Of.JUDGEMENT),
    Column("os_libelle", "os_name", _label, Of.JUDGEMENT),
    Column(
        "os_version",
        "os_version",
        lambda asset, _: asset.identity.attributes.get("version", ""),
        Of.JUDGEMENT,
    ),
    Column("os_build", "os_build", _builds, Of.JUDGEMENT),
    Column("editions_possibles", "possible_editions", _editions, Of.JUDGEMENT),
    Column("methode", "method", lambda asset, _: _method(asset.asked)),
    Column("preuves", "evidence", _proofs),
    Column(
        "certitude",
        "certainty",
        lambda asset, o: translate(asset.identity.certainty.value, o.lang),
        Of.JUDGEMENT,
    ),
    Column(
        "statut_support",
        "support_status",
        lambda asset, o: translate(asset.verdict.status.value, o.lang),
        Of.JUDGEMENT,
    ),
    Column(
        "fin_support_min",
        "support_end_min",
        lambda asset, _: _day(asset.verdict.earliest),
        Of.JUDGEMENT,
        Kind.DAY,
    ),
    Column(
        "fin_support_max",
        "support_end_max",
        lambda asset, _: _day(asset.verdict.latest),
        Of.JUDGEMENT,
        Kind.DAY,
    ),
    Column("fin_esu", "esu_end", _esu, Of.JUDGEMENT, Kind.DAY),
    Column(
        "source_cycle_de_vie",
        "lifecycle_source",
        lambda asset, _: _joined(each.source for each in asset.candidates),
        Of.JUDGEMENT,
    ),
    Column("smb1", "smb1", _smb1),
    Column("signature_smb", "smb_signing", _worded("smb.signing")),
    Column("nla_rdp", "rdp_nla", _worded("rdp.nla")),
    Column("premiere_vue", "first_seen", lambda asset, _: _moment(asset.first_seen), kind=Kind.MOMENT),
    Column("derniere_vue", "last_seen", lambda asset, _: _moment(asset.last_seen), kind=Kind.MOMENT),
    Column("action", "action", _action, Of.JUDGEMENT),
    Column("echeance", "due", lambda asset, o: _day(action_for(asset, o.today).due), Of.JUDGEMENT, Kind.DAY),
)
"""In the order of the design."""

_BY_NAME: Final = {column.en: column for column in AUDIT}

TO_DO: Final = (
    Column("service", "ward", lambda asset, _: asset.place.ward),
    Column("criticite", "criticality", lambda asset, o: translate(asset.place.criticality, o.lang)),
    *(_BY_NAME[name] for name in ("site", "building", "floor", "owner", "ip", "netbios_name", "os_name")),
    *(_BY_NAME[name] for name in ("support_status", "certainty", "action", "due", "asset_id")),
)
"""What the person who goes there needs."""
