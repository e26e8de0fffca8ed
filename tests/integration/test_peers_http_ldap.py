"""What real web servers, printers and directories answer to the probes http, winrm, ipp, ldap and cldap."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ProbeError, ProtocolError
from scanner.probes import cldap, http, ipp, ldap, winrm
from tests.integration.domain_controller import domain_controller
from tests.integration.driving import drive
from tests.integration.peers_http_ldap import (
    ADDRESS,
    ICON,
    NtlmHandler,
    SpnegoHandler,
    WinRmHandler,
    apache,
    cupsd,
    nginx,
    printer,
    served,
    slapd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.domain_controller import Controller

NAMES = {
    "ntlm.netbios_name": "ward-pc-07",
    "ntlm.netbios_domain": "CHU",
    "ntlm.dns_name": "ward-pc-07.chu.example",
    "ntlm.dns_domain": "chu.example",
    "ntlm.dns_forest": "example",
}
SAID = {**NAMES, "ntlm.challenge": "versioned", "ntlm.version": "5.1.2600"}
FAVICON = sha256(ICON).hexdigest()


def test_nginx_leads_to_its_page(tmp_path: Path) -> None:
    with nginx(tmp_path, "rewrite ^/$ /start.html redirect;") as (port, _):
        driven = drive(http.PROBE, ADDRESS, port)
        assert driven.error is None
        assert driven.evidence == {
            "http.status": "302",
            "http.server": driven.evidence["http.server"],
            "http.location": f"http://{ADDRESS}:{port}/start.html",
            "http.title": "Laboratoire & urgences",
            "http.favicon": FAVICON,
        }
        assert str(driven.evidence["http.server"]).startswith("nginx/1.")
        assert driven.connections == 1
    log = (tmp_path / "access.log").read_text(encoding="utf-8").splitlines()
    assert [line.split('"')[1] for line in log] == [
        "GET / HTTP/1.1",
        "GET /start.html HTTP/1.1",
        "GET /favicon.ico HTTP/1.1",
    ]
    assert all("vetuste (inventory of unmaintained systems)" in line for line in log)


def test_nginx_over_tls(tmp_path: Path) -> None:
    with nginx(tmp_path) as (plain, port):
        driven = drive(http.PROBE, ADDRESS, port, service=443)
        assert driven.error is None
        assert driven.evidence["http.title"] == "Laboratoire & pharmacie"
        assert driven.evidence["http.favicon"] == FAVICON
        assert driven.evidence["tls.subject"] == "CN=ward.example,O=Ward"
        assert not any(b"ward.example" in kept for kept in http.PROBE.redact(tuple(driven.raw)))
        assert isinstance(drive(http.PROBE, ADDRESS, plain, service=443).error, ProtocolError)
        refused = drive(http.PROBE, ADDRESS, port)
        assert (refused.evidence["http.status"], refused.error) == ("400", None)


def test_nginx_that_goes_on_without_end(tmp_path: Path) -> None:
    with nginx(tmp_path, "rewrite ^/$ /long.html last;") as (port, _):
        (tmp_path / "site" / "long.html").write_bytes(b"<title>Long</title>" + b"x" * (1 << 20))
        driven = drive(http.PROBE, ADDRESS, port)
        assert driven.error is None
        assert driven.evidence["http.title"] == "Long"
        assert "http.favicon" not in driven.evidence, "the connection is not used any more"


def test_apache_asks_for_a_password(tmp_path: Path) -> None:
    modules = "/usr/lib/apache2/modules"
    more = (
        f"LoadModule authn_core_module {modules}/mod_authn_core.so\n"
        f"LoadModule auth_basic_module {modules}/mod_auth_basic.so\n"
        f"LoadModule authn_file_module {modules}/mod_authn_file.so\n"
        f"LoadModule authz_user_module {modules}/mod_authz_user.so\n"
        f'<Location "/">\nAuthType Basic\nAuthName "Ward 7"\nAuthUserFile {tmp_path}/nobody\n'
        "Require valid-user\n</Location>"
    )
    with apache(tmp_path, more) as port:
        driven = drive(http.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence["http.authenticate"] == ('Basic realm="Ward 7"',)
    assert driven.evidence["http.title"] == "401 Unauthorized"
    assert "http.favicon" not in driven.evidence


def test_apache_names_its_distribution(tmp_path: Path) -> None:
    with apache(tmp_path) as port:
        driven = drive(http.PROBE, ADDRESS, port)
    assert str(driven.evidence["http.server"]).endswith("(Debian)")
    assert driven.evidence["http.title"] == "Laboratoire & pharmacie"


@pytest.mark.parametrize("handler", [NtlmHandler, SpnegoHandler])
def test_a_server_with_integrated_authentication(handler: type[NtlmHandler]) -> None:
    with served(handler) as port:
        driven = drive(http.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence == {
        "http.status": "401",
        "http.server": "Microsoft-IIS/5.1",
        "http.title": "Pharmacie",
        "http.authenticate": (handler.scheme,),
        **SAID,
    }
    assert not any(b"8 bytes!" in kept for kept in http.PROBE.redact(tuple(driven.raw)))


def test_a_winrm_service() -> None:
    with served(WinRmHandler) as port:
        driven = drive(winrm.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence == {
        "winrm.product": "Microsoft Corporation OS: 0.0.0 SP: 0.0 Stack: 3.0",
        "http.server": "Microsoft-HTTPAPI/2.0",
        **SAID,
    }


def test_a_web_server_is_no_winrm_service(tmp_path: Path) -> None:
    with nginx(tmp_path) as (port, _):
        driven = drive(winrm.PROBE, ADDRESS, port)
    assert driven.evidence.keys() == {"http.server"}
    assert len(driven.raw) == 2, "it is asked once: a header block and a body"


def test_a_printer(tmp_path: Path) -> None:
    with printer(tmp_path, "Acme", "Ward Printer 9") as port:
        driven = drive(ipp.PROBE, ADDRESS, port)
        web = drive(http.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence["ipp.model"] == ("Acme Ward Printer 9",)
    assert driven.evidence["ipp.versions"] == ("1.1", "2.0")
    assert web.error is None
    assert web.evidence["http.title"] == "Ward"
    assert str(web.evidence["http.server"]).startswith("CUPS/")
    assert not any((tmp_path / "spool").iterdir()), "nothing was printed"


def test_a_print_server(tmp_path: Path) -> None:
    with cupsd(tmp_path) as port:
        driven = drive(ipp.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence.keys() == {"http.server"}
    assert str(driven.evidence["http.server"]).startswith("CUPS/2.")


def test_openldap(tmp_path: Path) -> None:
    with slapd(tmp_path) as port:
        driven = drive(ldap.PROBE, ADDRESS, port)
    assert driven.error is None
    assert driven.evidence == {
        "ldap.rootdse": ("objectClass=OpenLDAProotDSE", "objectClass=top", "supportedLDAPVersion=3"),
        "ldap.vendor": "OpenLDAProotDSE",
    }


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with domain_controller(tmp_path_factory.mktemp("controller")) as found:
        yield found


@pytest.mark.parametrize("port", [389, 636])
def test_the_root_of_a_domain_controller(controller: Controller, port: int) -> None:
    driven = drive(ldap.PROBE, controller.address, port, service=port)
    assert driven.error is None
    assert driven.evidence["ldap.domain"] == controller.realm
    assert driven.evidence["ldap.host"] == controller.dns_name
    assert driven.evidence["ldap.functionality"] == "4 Samba Team (https://www.samba.org)"
    assert str(driven.evidence["ldap.vendor"]).startswith("Samba Team (https://www.samba.org) 4.")
    assert "domainFunctionality=4" in driven.evidence["ldap.rootdse"]
    assert ("tls.version" in driven.evidence) is (port == 636)


def test_a_ping_of_a_domain_controller(controller: Controller) -> None:
    driven = drive(cldap.PROBE, controller.address, 389)
    assert driven.error is None
    assert driven.evidence == {
        "cldap.flags": driven.evidence["cldap.flags"],
        "ldap.domain": controller.realm,
        "ldap.forest": controller.realm,
        "ldap.host": controller.dns_name,
        "ldap.site": "Default-First-Site-Name",
        "netbios.domain": controller.workgroup,
        "netbios.name": controller.name,
    }
    assert int(str(driven.evidence["cldap.flags"]), 16) & 0x1018 == 0x1018, "a writable controller with LDAP"


def test_each_is_told_from_the_others(tmp_path: Path) -> None:
    with slapd(tmp_path) as port:
        for probe in (http.PROBE, winrm.PROBE, ipp.PROBE):
            driven = drive(probe, ADDRESS, port)
            assert isinstance(driven.error, ProbeError)
            assert not driven.evidence
    with served(NtlmHandler) as port:
        assert isinstance(drive(ldap.PROBE, ADDRESS, port).error, ProtocolError)
