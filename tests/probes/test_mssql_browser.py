"""The SQL Server browser probe: what a host lists."""

from __future__ import annotations

import pytest
from impacket import tds  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import ProtocolError
from scanner.model import Endpoint
from scanner.probes.mssql_browser import PROBE, REQUEST, answers, parse_response
from tests.probes.conversation import Replay
from tests.probes.told import Told

HOST = Endpoint("192.0.2.1", 1434, PROBE.transport)


def listed(*instances: str) -> bytes:
    """[MC-SQLR] 2.2.5."""
    data = "".join(f"{instance};;" for instance in instances).encode("cp1252")
    return b"\5" + len(data).to_bytes(2, "little") + data


SQL_2000 = listed(
    "ServerName;PACS;InstanceName;MSSQLSERVER;IsClustered;No;Version;8.00.194;tcp;1433;np;\\\\PACS\\pipe\\sql\\query"
)
SEVERAL = listed(
    "ServerName;LABO;InstanceName;MSSQLSERVER;IsClustered;No;Version;9.00.1399.06;tcp;1433",
    "ServerName;LABO;InstanceName;SQLEXPRESS;IsClustered;No;Version;10.50.1600.1;tcp;49170",
    "ServerName;LABO;InstanceName;DÉMO;IsClustered;No;Version;10.50.1600.1",
)

CONVERSATIONS = (
    Told(
        "MSDE 2000, which says 8.00.194 whatever its service pack",
        PROBE,
        [[SQL_2000]],
        {"mssql.instances": ("MSSQLSERVER",), "mssql.browser_version": ("8.00.194",), "mssql.server": "PACS"},
        "built: [MC-SQLR] 2.2.5",
    ),
    Told(
        "three instances of two versions",
        PROBE,
        [[SEVERAL]],
        {
            "mssql.instances": ("MSSQLSERVER", "SQLEXPRESS", "DÉMO"),
            "mssql.browser_version": ("9.00.1399.06", "10.50.1600.1"),
            "mssql.server": "LABO",
        },
        "built: [MC-SQLR] 2.2.5",
    ),
    Told(
        "an instance of which nothing else is said",
        PROBE,
        [[listed("InstanceName;A")]],
        {"mssql.instances": ("A",)},
        "built: [MC-SQLR] 2.2.5",
    ),
)


def test_impacket_asks_the_same() -> None:
    theirs = tds.SQLR()
    theirs["OpCode"] = tds.SQLR_CLNT_UCAST_EX
    assert theirs.getData() == REQUEST


def test_impacket_reads_the_same_list() -> None:
    theirs = tds.SQLR_Response(SEVERAL)
    assert theirs["Data"] == SEVERAL[3:]


@pytest.mark.parametrize(
    "stray", [b"", REQUEST, b"\4\0\0", b"HTTP/1.1"], ids=["empty", "an echo", "other", "text"]
)
def test_other_datagrams_are_not_the_answer(stray: bytes) -> None:
    assert answers(stray) is None


@pytest.mark.parametrize(
    "message",
    [b"\5", b"\5\0\0", listed(), listed("ServerName;PACS"), SEVERAL[:-1], b"\5\xff\xff;;"],
    ids=["bare", "empty", "no instance", "only a server", "cut", "longer than it is"],
)
def test_what_lists_nothing_is_an_error(message: bytes) -> None:
    heard = Replay([[message]]).hold(PROBE, HOST)
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_only_so_many_instances_are_kept() -> None:
    found = parse_response(listed(*(f"InstanceName;I{number}" for number in range(90))))
    assert len(found["mssql.instances"]) == 50


def test_names_are_printable() -> None:
    assert parse_response(listed("InstanceName;\x1b[31mA")) == {"mssql.instances": ("\ufffd[31mA",)}
