"""Files of registers as they are exported, with the columns that name people in them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.errors import ConfigError
from scanner.imports import Source, register_formats
from scanner.imports.streams import Watched, unpacked

if TYPE_CHECKING:
    from scanner.inventory.records.record import Record

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PEOPLE = ("Prenom NOMDEFAMILLE", "nomdefamille", "poste du secretariat")
"""What must never be kept."""

# Get-ADComputer -Filter * -Properties * | Select … | Export-Csv of Windows PowerShell 5, on a French system.
AD = r'''#TYPE Selected.Microsoft.ActiveDirectory.Management.ADComputer
"Name","DNSHostName","DistinguishedName","Enabled","ManagedBy","Description","OperatingSystem","OperatingSystemVersion","OperatingSystemServicePack","LastLogonDate","IPv4Address","ObjectClass","ObjectGUID","SID","whenCreated"
"PC-CARDIO-1","pc-cardio-1.chu.example","CN=PC-CARDIO-1,OU=nomdefamille,OU=Postes,DC=chu,DC=example","True","CN=Prenom NOMDEFAMILLE,OU=Agents,DC=chu,DC=example","poste du secretariat
de Prenom NOMDEFAMILLE, ""2e etage""","Windows 10 Entreprise LTSC","10.0 (17763)",,"23/11/2026 08:12:33","10.20.0.1","computer","6f1c2a9e-27ff-4c8b-9a3e-0d7a5b1c2d3e","S-1-5-21-1004336348-1177238915-682003330-1104","02/03/2020 10:00:00"
"PC-CARDIO-2","pc-cardio-2.chu.example","CN=PC-CARDIO-2,OU=Postes,DC=chu,DC=example","True",,,"Windows 10 Professionnel","10.0 (19045)",,"24/11/2026 07:00:00",,"computer","7f1c2a9e-27ff-4c8b-9a3e-0d7a5b1c2d3e","S-1-5-21-1004336348-1177238915-682003330-1105","02/03/2020 10:00:00"
"ANCIEN-9","","CN=ANCIEN-9,OU=Postes,DC=chu,DC=example","False",,"=cmd|' /C calc'!A0","Windows XP Professional","5.1 (2600)","Service Pack 3","12/01/2015 17:45:10","10.20.30.9","computer","8f1c2a9e-27ff-4c8b-9a3e-0d7a5b1c2d3e","S-1-5-21-1004336348-1177238915-682003330-1106","02/03/2009 10:00:00"
'''  # noqa: E501 - as PowerShell writes it

# A list of computers of GLPI, exported as CSV.
GLPI = """"Nom";"Entité";"Statut";"Fabricant";"Numéro de série";"Type";"Modèle";"Système d'exploitation - Nom";"Système d'exploitation - Version";"Lieu";"Dernière modification";"Usager";"Utilisateur";"Contact";"Commentaires";"Adresse IP";"Adresse MAC";"ID";"Inventaire automatique";"Date du dernier inventaire"
"PC-CARDIO-1";"CHU > Postes";"En service";"Dell Inc.";"ABC1234";"Desktop";"OptiPlex 7060";"Microsoft Windows 10 Entreprise LTSC";"1809";"Bâtiment B";"2026-11-24 09:00";"Prenom NOMDEFAMILLE";"nomdefamille";"nomdefamille@PC-CARDIO-1";"poste du secretariat
deuxième ligne";"10.20.0.1
fe80::1";"00:1b:21:aa:bb:01";"1 204";"Oui";"2026-11-24 09:00"
"SAISI-MAIN";"CHU";"En stock";"";"";"";"";"Windows 7";"";"";"2026-11-24 09:00";"";"";"";"";"";"";"7";"Non";""
"""  # noqa: E501 - as GLPI writes it
FILES = {"ad": AD.replace("\n", "\r\n").encode(), "glpi": GLPI.encode()}


def read(form: str, content: bytes) -> list[Record | ConfigError]:
    """Everything that a file says, and what is wrong with it."""
    (reader,) = (each.read for each in register_formats() if each.name == form)
    stream = unpacked(Watched(io.BytesIO(content)))
    return list(reader(Source(stream, "file", NOW)))


def records(form: str, content: bytes) -> list[Record]:
    """The records of a file without a mistake."""
    found = read(form, content)
    assert [str(each) for each in found if isinstance(each, ConfigError)] == []
    return [each for each in found if not isinstance(each, ConfigError)]
