"""Files of any size as other scanners write them, made while they are read, and never stored."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

FRONT = Path(__file__).parents[2] / "cli.py"

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<nmaprun scanner="nmap" args="nmap -oX" start="1795693834" version="7.93" xmloutputversion="1.05">
"""
_HOST = """<host starttime="1795693834" endtime="1795693858"><status state="up" reason="syn-ack" \
reason_ttl="0"/>
<address addr="{address}" addrtype="ipv4"/>
<address addr="00:0C:29:C6:{high:02X}:{low:02X}" addrtype="mac" vendor="VMware"/>
<hostnames>
</hostnames>
<ports><extraports state="filtered" count="995">
<extrareasons reason="no-response" count="995" proto="tcp" ports="{closed}"/>
</extraports>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack" reason_ttl="0"/><service name="http" \
method="table" conf="3"/><script id="http-title" output="Poste {n}"><elem key="title">Poste {n}</elem>
</script><script id="http-headers" output="&#xa;  Server: nginx/1.22.{minor} &#xa;  (Request type: GET)&#xa;\
"/><script id="http-methods" output="&#xa;  Supported Methods: GET HEAD POST OPTIONS">\
<table key="Supported Methods">
<elem>GET</elem>
<elem>HEAD</elem>
<elem>POST</elem>
<elem>OPTIONS</elem>
</table>
</script></port>
<port protocol="tcp" portid="445"><state state="open" reason="syn-ack" reason_ttl="0"/></port>
</ports>
<hostscript><script id="smb2-security-mode" output="&#xa;  311: &#xa;    Message signing enabled but not \
required"><table key="311">
<elem>Message signing enabled but not required</elem>
</table>
</script><script id="smb-protocols" output="&#xa;  dialects: &#xa;    202&#xa;    311"><table key="dialects">
<elem>202</elem>
<elem>311</elem>
</table>
</script><script id="smb2-time" output="&#xa;  date: 2026-11-26T11:50:58&#xa;  start_date: N/A">\
<elem key="date">2026-11-26T11:50:58</elem>
<elem key="start_date">N/A</elem>
</script></hostscript><times srtt="116" rttvar="2847" to="100000"/>
</host>
"""
_CLOSED = ",".join(f"{port}-{port + 3}" for port in range(1, 1800, 9))
_FOOT = """<runstats><finished time="1795693858" elapsed="24.41" exit="success"/>\
<hosts up="1" down="0" total="1"/>
</runstats>
</nmaprun>
"""


def address(number: int) -> str:
    """An address of 10.0.0.0/8 and what comes after it."""
    return ".".join(str(byte) for byte in (0x0A000000 + number).to_bytes(4))


def nmap(size: int) -> Iterator[bytes]:
    """nmap's XML of so many bytes, or a little more: hosts with ports, scripts and lists of closed ports."""
    yield _HEAD.encode()
    made = 0
    for n in count():
        if made >= size:
            break
        fields = {"n": n, "minor": n % 50, "high": n >> 8 & 0xFF, "low": n & 0xFF, "closed": _CLOSED}
        host = _HOST.format(address=address(n), **fields).encode()
        made += len(host)
        yield host
    yield _FOOT.encode()


def masscan(size: int) -> Iterator[bytes]:
    """masscan's records, every host in three places of the file that lie far apart."""
    made = 0
    span = max(1, size // 500)
    for n in count():
        if made >= size:
            return
        record = {"ip": address(n % span), "timestamp": str(1795693834 + n % 86400), "proto": "tcp"}
        match n // span % 3:
            case 0:
                data = {"status": "open", "reason": "syn-ack", "ttl": 64}
                row = {**record, "port": 22, "rec_type": "status", "data": data}
            case 1:
                data = {"service_name": "ssh", "banner": f"SSH-2.0-OpenSSH_8.{n % 10}p1 Debian-{n % 7}\r\n"}
                row = {**record, "port": 22, "rec_type": "banner", "data": data}
            case _:
                data = {"service_name": "http.server", "banner": f"nginx/1.{n % 26}.0"}
                row = {**record, "port": 80, "rec_type": "banner", "data": data}
        line = json.dumps(row).encode() + b"\n"
        made += len(line)
        yield line


def zgrab2(size: int) -> Iterator[bytes]:
    """zgrab2's lines, each with a page of HTML."""
    made = 0
    page = f"<html><head><title>Poste</title></head><body>{'texte ' * 500}</body></html>"
    for n in count():
        if made >= size:
            return
        response = {"status_code": 200, "headers": {"server": [f"nginx/1.{n % 26}.0"]}, "body": page}
        grab = {"status": "success", "protocol": "http", "result": {"response": response}}
        grab["timestamp"] = "2026-11-26T11:50:58Z"
        line = json.dumps({"ip": address(n), "data": {"http": grab}}).encode() + b"\n"
        made += len(line)
        yield line


_LEASE = """lease {address} {{
  starts {day} 2026/11/{date:02} {hour:02}:10:00;
  ends {day} 2026/11/{date:02} {hour:02}:40:00;
  cltt {day} 2026/11/{date:02} {hour:02}:10:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 00:0c:29:{top:02x}:{high:02x}:{low:02x};
  uid "\\001\\000\\014)\\000\\001\\002";
  set vendor-class-identifier = "MSFT 5.0";
  client-hostname "POSTE-{host}";
}}
"""


def dhcp(size: int) -> Iterator[bytes]:
    """dhcpd's leases, which thousands of hosts renew again and again."""
    made, hosts = 0, max(5000, size >> 12)
    for n in count():
        if made >= size:
            return
        host = n % hosts
        when = {"day": n % 7, "date": 1 + n % 25, "hour": n % 24}
        fields = {**when, "host": host, "top": host >> 16, "high": host >> 8 & 0xFF, "low": host & 0xFF}
        lease = _LEASE.format(address=address(host), **fields).encode()
        made += len(lease)
        yield lease


FILES = {"dhcp": dhcp, "masscan": masscan, "nmap": nmap, "zgrab2": zgrab2}
"""By format: makes a file of so many bytes, or a little more."""


class Lazy(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        while len(self._rest) < len(view) and (piece := next(self._pieces, b"")):
            self._rest += piece
        data, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(data)] = data
        return len(data)


def imported(form: str, size: int, folder: Path) -> int:
    """Import a file of so many bytes through the product's standard input; the most memory it had, in bytes.

    What the product prints is left in ``out.json``.
    """
    product = [sys.executable, str(FRONT), "import", form, "-", "--json", "--db", "large.db"]
    command = measured(product)
    with (folder / "out.json").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stderr is not None
        for piece in FILES[form](size):
            process.stdin.write(piece)
        process.stdin.close()
        said = process.stderr.read()
        process.stderr.close()
    assert process.wait() == 0, said
    return int(said) << 10
