"""SSDP: real responders of Linux, the device host of Windows, and what is said around them."""

from __future__ import annotations

import pytest

from scanner.classify import default_classifier
from scanner.errors import LimitError, ProtocolError
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Endpoint, Transport
from scanner.probes import ssdp
from scanner.probes.ssdp import PROBE
from tests.probes.told import Told

GSSDP = (
    b"HTTP/1.1 200 OK\r\nLocation: http://10.77.0.2:5000/d.xml\r\nExt:\r\n"
    b"USN: uuid:1d0a5e5c-0000-4000-8000-00155d000001::upnp:rootdevice\r\n"
    b"Server: Linux/6.18.44-fc-v657 UPnP/1.0 GSSDP/1.6.2\r\nCache-Control: max-age=1800\r\n"
    b"ST: upnp:rootdevice\r\nDate: Thu, 26 Nov 2026 11:38:23 GMT\r\nContent-Length: 0\r\n\r\n"
)
MINISSDPD = (
    b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
    b"USN: uuid:1d0a5e5c-0000-4000-8000-00155d000001::upnp:rootdevice\r\nEXT:\r\n"
    b"SERVER: Debian/12 UPnP/1.1 MiniUPnPd/2.3.1\r\nLOCATION: http://10.77.0.2:5000/rootDesc.xml\r\n"
    b'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01\r\n01-NLS: 1795693058\r\n'
    b"BOOTID.UPNP.ORG: 1795693058\r\nCONFIGID.UPNP.ORG: 1337\r\n\r\n"
)
HOST = "Microsoft-Windows-NT/5.1 UPnP/1.0 UPnP-Device-Host/1.0"
WINDOWS = (
    b"HTTP/1.1 200 OK\r\nST:upnp:rootdevice\r\n"
    b"USN:uuid:1d0a5e5c-0000-4000-8000-00155d000002::upnp:rootdevice\r\n"
    b"Location:http://192.0.2.7:2869/upnphost/udhisapi.dll?content=uuid:1d0a5e5c-0000-4000-8000-00155d000002\r\n"
    b"Cache-Control:max-age=1800\r\nServer:" + HOST.encode() + b"\r\nExt:\r\n\r\n"
)
ROOT = "upnp:rootdevice"

CONVERSATIONS = (
    Told(
        "GSSDP",
        PROBE,
        [[GSSDP]],
        {"ssdp.server": "Linux/6.18.44-fc-v657 UPnP/1.0 GSSDP/1.6.2", "ssdp.st": ROOT},
        "recorded from Debian's libgssdp 1.6.2",
    ),
    Told(
        "MiniSSDPd",
        PROBE,
        [[MINISSDPD]],
        {"ssdp.server": "Debian/12 UPnP/1.1 MiniUPnPd/2.3.1", "ssdp.st": ROOT},
        "recorded from Debian's minissdpd 1.6.0",
    ),
    Told(
        "Windows",
        PROBE,
        [[WINDOWS]],
        {"ssdp.server": HOST, "ssdp.st": ROOT},
        "UPnP Device Architecture 1.0, 1.2.3, with the words of Windows",
    ),
)


# --- what is said


@pytest.mark.parametrize(
    ("address", "host"), [("192.0.2.7", b"192.0.2.7:1900"), ("2001:db8::7", b"[2001:db8::7]:1900")]
)
def test_one_device_is_searched_for(address: str, host: bytes) -> None:
    said = ssdp.search(Endpoint(address, 1900, Transport.UDP))
    assert said == (
        b"M-SEARCH * HTTP/1.1\r\nHOST: " + host + b"\r\n"
        b'MAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n'
    )


def test_the_longest_address_fits_into_what_is_declared() -> None:
    longest = "2001:0db8:1111:2222:3333:4444:5555:6666%interface0000000"
    assert len(ssdp.search(Endpoint(longest, 65535, Transport.UDP))) <= PROBE.size


# --- what is heard


@pytest.mark.parametrize("said", [b"NOTIFY * HTTP/1.1\r\n\r\n", b"M-SEARCH * HTTP/1.1\r\n\r\n"])
def test_what_others_say_is_passed_over(said: bytes) -> None:
    assert ssdp.response(said) is None


@pytest.mark.parametrize("said", [b"", b"\x56\x45\x84\0", b"SSH-2.0-OpenSSH_9.2", b"http/1.1 200 OK"])
def test_another_protocol_is_not_waited_for(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        ssdp.response(said)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nSERVER:\r\n\r\n", b"HTTP/1.0 404 \n:\n"]
)
def test_an_answer_may_tell_nothing(said: bytes) -> None:
    heard = Told("empty", PROBE, [[said]], {}, "made here").hold()
    assert (heard.evidence, heard.error) == ({}, None)


def test_silence_is_told_as_such() -> None:
    assert isinstance(Told("silent", PROBE, [[LimitError()]], {}, "made here").hold().error, LimitError)


def test_control_characters_and_long_fields_are_harmless() -> None:
    found = ssdp.parse_response(b"HTTP/1.1 200 OK\r\nServer: a\x1b[2J" + b"b" * 9000 + b"\r\n\r\n")
    assert found["ssdp.server"].startswith("a\N{REPLACEMENT CHARACTER}[2J")
    assert len(found["ssdp.server"]) == 256


def test_only_what_evidence_is_read_from_is_kept() -> None:
    raw = GSSDP.replace(b"Ext:\r\n", b"X-Friendly-Name: somebody\r\n")
    (kept,) = PROBE.redact((raw,))
    assert kept == b"server: Linux/6.18.44-fc-v657 UPnP/1.0 GSSDP/1.6.2\r\nst: upnp:rootdevice\r\n"


# --- what it means


def test_the_device_host_is_windows_and_never_xp_by_itself() -> None:
    identity = default_classifier().classify({"ssdp.server": (HOST,)})
    products = {load_lifecycle().releases[name].product for name in identity.candidates}
    assert {"Windows XP", "Windows 7"} <= products
    assert "Windows NT 4.0" not in products
    assert identity.certainty is Certainty.PROBABLE


def test_a_program_in_java_says_which_windows() -> None:
    identity = default_classifier().classify({"ssdp.server": ("Windows_XP-x86-5.1, UPnP/1.0, PMS/1.20.400",)})
    assert {load_lifecycle().releases[name].product for name in identity.candidates} == {"Windows XP"}
