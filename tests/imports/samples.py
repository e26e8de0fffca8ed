"""What other scanners write, small: as nmap 7.93 wrote it here, and as their documentation shows it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.errors import ConfigError
from scanner.imports import Source, formats
from scanner.imports.gathering import Gathered
from scanner.imports.streams import Watched, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.model import Observation

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)

# The frame, host .1 and host .2 are nmap 7.93's own, of Samba 4.17, a web server and OpenSSH on loopback; the
# addresses were changed. The other scripts are as the scripts' own documentation (@xmloutput) shows them.
NMAP = r"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<!-- Nmap 7.93 scan initiated Thu Nov 26 11:50:34 2026 as: nmap -n -sT -oX - 10.20.0.0/24 -->
<nmaprun scanner="nmap" args="nmap -n -sT -oX - 10.20.0.0/24" start="1795693834" startstr="Thu Nov 26 11:50:34 2026" version="7.93" xmloutputversion="1.05">
<scaninfo type="connect" protocol="tcp" numservices="3" services="1,80,445"/>
<verbose level="1"/>
<debugging level="1"/>
<taskbegin task="NSE" time="1795693834"/>
<taskend task="NSE" time="1795693834"/>
<hosthint><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="10.20.0.77" addrtype="ipv4"/>
<hostnames>
</hostnames>
</hosthint>
<host starttime="1795693834" endtime="1795693858"><status state="up" reason="user-set" reason_ttl="0"/>
<address addr="10.20.0.1" addrtype="ipv4"/>
<hostnames>
<hostname name="poste.example" type="PTR"/>
</hostnames>
<ports><port protocol="tcp" portid="1"><state state="closed" reason="conn-refused" reason_ttl="0"/><service name="tcpmux" method="table" conf="3"/></port>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack" reason_ttl="0"/><script id="http-title" output="Poste infirmi\xC3\xA8re \xE2\x80\xAE &amp;amp; caf\xC3\xA9"><elem key="title">Poste infirmi\xC3\xA8re \xE2\x80\xAE &amp;amp; caf\xC3\xA9</elem>
</script><script id="http-headers" output="&#xa;  Server: Caf\xE9/1 &lt;&amp;&quot;&apos;&gt; &#xa;  Date: Thu, 26 Nov 2026 11:50:44 GMT&#xa;  Content-Length: 61&#xa;  &#xa;  (Request type: GET)&#xa;"/></port>
<port protocol="tcp" portid="445"><state state="open" reason="syn-ack" reason_ttl="0"/><script id="http-headers" output="&#xa;  ERROR: Header request failed&#xa;"/></port>
</ports>
<hostscript><script id="smb2-security-mode" output="&#xa;  311: &#xa;    Message signing enabled but not required"><table key="311">
<elem>Message signing enabled but not required</elem>
</table>
</script><script id="smb-security-mode" output="&#xa;  account_used: guest&#xa;  authentication_level: user&#xa;  challenge_response: supported&#xa;  message_signing: disabled (dangerous, but default)"><elem key="account_used">guest</elem>
<elem key="authentication_level">user</elem>
<elem key="challenge_response">supported</elem>
<elem key="message_signing">disabled</elem>
</script><script id="smb-protocols" output="&#xa;  dialects: &#xa;    NT LM 0.12 (SMBv1) [dangerous, but default]&#xa;    202&#xa;    210&#xa;    300&#xa;    302&#xa;    311"><table key="dialects">
<elem>NT LM 0.12 (SMBv1) [dangerous, but default]</elem>
<elem>202</elem>
<elem>210</elem>
<elem>300</elem>
<elem>302</elem>
<elem>311</elem>
</table>
</script></hostscript><times srtt="116" rttvar="2847" to="100000"/>
</host>
<host starttime="1795693834" endtime="1795693840"><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="10.20.0.2" addrtype="ipv4"/>
<address addr="00:0C:29:C6:DA:F5" addrtype="mac" vendor="VMware"/>
<hostnames>
</hostnames>
<ports><extraports state="filtered" count="3">
<extrareasons reason="no-response" count="3" proto="tcp" ports="1,80,445"/>
</extraports>
</ports>
<times srtt="116" rttvar="2847" to="100000"/>
</host>
<host starttime="1795693834" endtime="1795693841"><status state="up" reason="user-set" reason_ttl="0"/>
<address addr="10.20.0.3" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="80"><state state="filtered" reason="no-response" reason_ttl="0"/></port>
<port protocol="udp" portid="161"><state state="open|filtered" reason="no-response" reason_ttl="0"/></port>
</ports>
</host>
<host><status state="down" reason="no-response" reason_ttl="0"/>
<address addr="10.20.0.4" addrtype="ipv4"/>
</host>
<host starttime="1795693834" endtime="1795693859"><status state="up" reason="syn-ack" reason_ttl="128"/>
<address addr="10.20.0.5" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="21"><state state="open" reason="syn-ack" reason_ttl="128"/><service name="ftp" product="Microsoft ftpd" ostype="Windows" method="probed" conf="10"><cpe>cpe:/a:microsoft:ftp_service</cpe></service><script id="banner" output="220 Microsoft FTP Service"/></port>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack" reason_ttl="128"/><service name="ssh" method="table" conf="3"/><script id="banner" output="SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"/></port>
<port protocol="tcp" portid="25"><state state="open" reason="syn-ack" reason_ttl="128"/><service name="smtp" method="table" conf="3"/><script id="banner" output="220-one line of a greeting\x0D\x0A220 and another one, that is so l..."/></port>
<port protocol="tcp" portid="3389"><state state="open" reason="syn-ack" reason_ttl="128"/><script id="rdp-ntlm-info" output="&#xa;  Target_Name: W2016"><elem key="Target_Name">W2016</elem>
<elem key="NetBIOS_Domain_Name">W2016</elem>
<elem key="NetBIOS_Computer_Name">W16GA-SRV01</elem>
<elem key="DNS_Domain_Name">W2016.lab</elem>
<elem key="DNS_Computer_Name">W16GA-SRV01.W2016.lab</elem>
<elem key="DNS_Tree_Name">W2016.lab</elem>
<elem key="Product_Version">10.0.14393</elem>
<elem key="System_Time">2019-06-13T10:38:35+00:00</elem>
</script></port>
<port protocol="tcp" portid="8080"><state state="open" reason="syn-ack" reason_ttl="128"/><service name="http" method="probed" conf="10"/><script id="http-title" output="Elsewhere&#xa;Requested resource was http://10.20.0.99/"><elem key="title">Elsewhere</elem>
<elem key="redirect_url">http://10.20.0.99/</elem>
</script><script id="http-server-header" output="Microsoft-IIS/10.0"><elem>Microsoft-IIS/10.0</elem>
</script></port>
</ports>
<os><osmatch name="Microsoft Windows XP SP2" accuracy="100" line="1"></osmatch></os>
</host>
<host starttime="1795693834" endtime="1795693859"><status state="up" reason="reset" reason_ttl="128"/>
<address addr="10.20.9.7" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="139"><state state="open" reason="syn-ack" reason_ttl="128"/></port>
<port protocol="tcp" portid="1433"><state state="open" reason="syn-ack" reason_ttl="128"/></port>
<port protocol="udp" portid="161"><state state="open" reason="udp-response" reason_ttl="128"/><script id="snmp-sysdescr" output="Hardware: x86 Family 6 Model 8 Stepping 6 AT/AT COMPATIBLE - Software: Windows 2000 Version 5.1 (Build 2600 Uniprocessor Free)&#xa;  System uptime: 28 days, 17:18:59 (248153900 timeticks)"/></port>
</ports>
<hostscript><script id="nbstat" output="NetBIOS name: POSTE-7, NetBIOS user: DUPONT, NetBIOS MAC: 00:0c:29:c6:da:f5 (VMware)"/><script id="smb-os-discovery" output="&#xa;  OS: Windows XP (Windows 2000 LAN Manager)"><elem key="os">Windows 5.1</elem>
<elem key="lanmanager">Windows 2000 LAN Manager</elem>
<elem key="server">POSTE-7\x00</elem>
<elem key="workgroup">REANIMATION\x00</elem>
<elem key="cpe">cpe:/o:microsoft:windows_xp::-</elem>
</script></hostscript>
</host>
<host starttime="1795693834" endtime="1795693859"><status state="up" reason="syn-ack" reason_ttl="64"/>
<address addr="2001:db8::7" addrtype="ipv6"/>
<ports><port protocol="tcp" portid="443"><state state="open" reason="syn-ack" reason_ttl="64"/></port>
</ports>
</host>
<runstats><finished time="1795693858" timestr="Thu Nov 26 11:50:58 2026" summary="Nmap done" elapsed="24.41" exit="success"/><hosts up="1" down="0" total="1"/>
</runstats>
</nmaprun>
"""  # noqa: E501 - as nmap writes it

# As masscan's -oD and -oJ write them (out-ndjson.c, out-json.c): both forms of a record, and the frame of a
# list. The SMB banner of .5 is the one that its author showed when he made it.
MASSCAN = r"""[
{"ip":"10.20.0.5","timestamp":"1529878000","port":445,"proto":"tcp","rec_type":"status","data":{"status":"open","reason":"syn-ack","ttl":128}}
{   "ip": "10.20.0.6",   "timestamp": "1529878001", "ports": [ {"port": 22, "proto": "tcp", "status": "open", "reason": "syn-ack", "ttl": 64} ] }
,
{   "ip": "10.20.0.6",   "timestamp": "1529878002", "ports": [ {"port": 22, "proto": "tcp", "service": {"name": "ssh", "banner": "SSH-2.0-OpenSSH_7.4p1 Debian-10+deb9u7\u000d\u000a"} } ] },
{"ip":"10.20.0.5","timestamp":"1529878003","port":445,"proto":"tcp","rec_type":"banner","data":{"service_name":"smb","banner":"SMBv1  time=2018-06-24 22:18:13 TZ=+240  domain=SHIPBARBO version=6.1.7601 ntlm-ver=15 domain=SHIPBARBO name=SHIPBARBO domain-dns=SHIPBARBO name-dns=SHIPBARBO os=Windows Embedded Standard 7601 Service Pack 1 ver=Windows Embedded Standard 6.1"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":80,"proto":"tcp","rec_type":"banner","data":{"service_name":"http","banner":"HTTP/1.1 200 OK\u000d\u000aServer: Microsoft-IIS/5.1\u000d\u000aConnection: close\u000d\u000a\u000d\u000a"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":80,"proto":"tcp","rec_type":"banner","data":{"service_name":"title","banner":"Caf\u00c3\u00a9 \u0026amp; radio"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":80,"proto":"tcp","rec_type":"banner","data":{"service_name":"http.server","banner":"Microsoft-IIS/5.1"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":25,"proto":"tcp","rec_type":"banner","data":{"service_name":"smtp","banner":"220 mail Microsoft ESMTP MAIL Service, Version: 6.0.2600.5512 ready \u000a250-mail Hello\u000a250-SIZE 2097152\u000a250 OK\u000a500 no"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":161,"proto":"udp","rec_type":"banner","data":{"service_name":"snmp","banner":"sysDescr:Hardware: x86\u000aSoftware: Windows 2000 Version 5.1\u000asysName:POSTE-7"}}
{"ip":"10.20.0.7","timestamp":"1529878004","port":137,"proto":"udp","rec_type":"banner","data":{"service_name":"nbtstat","banner":"DUPONT         \u003c03\u003e\u000a00-00-00-00-00-00"}}
{"ip":"10.20.0.8","timestamp":"1529878004","port":23,"proto":"tcp","rec_type":"banner","data":{"service_name":"telnet","banner":"\u00ff\u00fd\u0018\u00ff\u00fb\u0001Red Hat Linux release 9\u000d\u000alogin: "}}
{"ip":"10.20.0.8","timestamp":"1529878004","port":110,"proto":"tcp","rec_type":"banner","data":{"service_name":"pop","banner":"+OK Dovecot ready."}}
{"ip":"10.20.0.8","timestamp":"1529878004","port":143,"proto":"tcp","rec_type":"banner","data":{"service_name":"imap","banner":"* OK [CAPABILITY IMAP4rev1] Dovecot ready."}}
{"ip":"10.20.0.8","timestamp":"1529878004","port":21,"proto":"tcp","rec_type":"banner","data":{"service_name":"ftp","banner":"220 (vsFTPd 2.0.5)\u000a530 Please login with USER and PASS."}}
{"ip":"10.20.0.8","timestamp":"1529878004","port":5900,"proto":"tcp","rec_type":"banner","data":{"service_name":"vnc","banner":"RFB 003.008\u000a"}}
{"ip":"10.20.0.9","timestamp":"1529878004","port":9,"proto":"tcp","rec_type":"status","data":{"status":"closed","reason":"rst","ttl":128}}
]
"""  # noqa: E501 - as masscan writes it


def _grab(protocol: str, result: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    return {
        "status": "success",
        "protocol": protocol,
        "timestamp": "2018-04-06T19:42:32+02:00",
        "result": result,
        **more,
    }


_RESPONSE: dict[str, Any] = {
    "status_line": "401 Unauthorized",
    "status_code": 401,
    "protocol": {"name": "HTTP/1.1", "major": 1, "minor": 1},
    "headers": {
        "content_length": ["36"],
        "server": ["Microsoft-IIS/5.1"],
        "www_authenticate": ['Basic realm="poste"'],
        "x_powered_by": ["ASP.NET"],
        "unknown": [{"key": "x_aspnet_version", "value": ["1.1.4322"]}],
    },
    "body": "<html><title>Poste &amp; radio</title></html>",
    "request": {"url": {"scheme": "https", "host": "10.20.0.5", "path": "/"}},
}
CERTIFICATE = (
    "MIIBdTCCARugAwIBAgIUc8s1nR3yQ3mZJv0pYd6l3w0BqiEwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFcG9zdGUwHhcNMjYxMTI2"
)
"""The beginning of a certificate: of one that is cut off, what came is read."""
_TLS = {
    "handshake_log": {
        "server_hello": {
            "version": {"name": "TLSv1.0", "value": 769},
            "cipher_suite": {"hex": "0x0005", "name": "TLS_RSA_WITH_RC4_128_SHA", "value": 5},
        },
        "server_certificates": {"certificate": {"raw": CERTIFICATE}},
    }
}
# Fields as zgrab2's schemas have them (zgrab2_schemas), the port as its framework adds it since 2025.
ZGRAB2_HOSTS: tuple[dict[str, Any], ...] = (
    {
        "ip": "10.20.0.5",
        "domain": "poste.example",
        "data": {
            "web": _grab(
                "http", {"response": {**_RESPONSE, "request": {**_RESPONSE["request"], "tls_log": _TLS}}}
            ),
            "ssh": _grab(
                "ssh",
                {
                    "server_id": {"raw": "SSH-2.0-OpenSSH_7.2p2 Ubuntu-4ubuntu2.4", "version": "2.0"},
                    "server_key_exchange": {
                        "kex_algorithms": ["curve25519-sha256@libssh.org"],
                        "host_key_algorithms": ["ssh-rsa", "ssh-ed25519"],
                        "server_to_client_ciphers": ["aes128-ctr"],
                    },
                    "key_exchange": {
                        "server_host_key": {"algorithm": "ssh-ed25519", "fingerprint_sha256": "69" * 32}
                    },
                },
                port=2200,
            ),
            "smtp": _grab(
                "smtp",
                {"banner": "220 a ESMTP Exim 4.84\r\n", "ehlo": "250-a Hi\r\n250-SIZE\r\n250 HELP\r\n"},
            ),
            "old": _grab("telnet", {"banner": "Ubuntu 16.04.3 LTS\r\na login: "}),
            "mysql": _grab("mysql", {"protocol_version": 10, "server_version": "5.5.58"}),
            "sql": _grab("mssql", {"version": "14.0.3015", "instance_name": "\u0000"}),
            "pg": _grab("postgres", {"is_ssl": True, "tls": _TLS}),
            "refused": {
                "status": "connection-refused",
                "protocol": "ftp",
                "timestamp": "2018-04-06T19:42:32Z",
            },
            "pop3": _grab("pop3", {"banner": "+OK\r\n"}),
            "unknown": _grab("modbus", {"unit_id": 0}),
        },
    },
    {
        "ip": "10.20.9.7",
        "data": {
            "smb1": _grab(
                "smb",
                {
                    "smbv1_support": True,
                    "native_os": "Windows 5.1",
                    "ntlm": "Windows 2000 LAN Manager",
                    "group_name": "REANIMATION",
                    "has_ntlm": False,
                },
            ),
            "rdp": _grab(
                "rdp",
                {
                    "os_version": "5.2.3790",
                    "netbios_computer_name": "POSTE-7",
                    "dns_computer_name": "poste-7.lan",
                },
            ),
            "ldap": _grab(
                "ldap",
                {
                    "dns_host_name": "poste-7.lan",
                    "domain_controller_functionality": "2",
                    "supported_capabilities": ["1.2.840.113556.1.4.800"],
                    "default_naming_context": "DC=reanimation,DC=lan",
                },
            ),
            "first": _grab("banner", {"banner": "SSH-1.99-Cisco-1.25\n", "length": 20}, port=22),
        },
    },
    {
        "ip": "10.20.0.8",
        "data": {
            "smb": _grab(
                "smb",
                {
                    "smbv1_support": False,
                    "smb_version": {"major": 2, "minor": 1, "revision": 0, "version_string": "SMB 2.1"},
                    "negotiation_log": {
                        "protocol_id": "/lNNQg==",
                        "security_mode": 3,
                        "dialect_revision": 528,
                        "server_guid": "AAECAwQFBgcICQoLDA0ODw==",
                    },
                },
            ),
        },
    },
)
ZGRAB2 = "".join(json.dumps(host) + "\n" for host in ZGRAB2_HOSTS)

# As dhcpd 4.4 writes its file (dhcpd.leases(5), and what dhcpd does beyond it): a lease that is renewed comes
# again, bytes that are no ASCII are octal, and what relays add stands in it too.
DHCPD = r"""# The format of this file is documented in the dhcpd.leases(5) manual page.
# This lease file was written by isc-dhcp-4.4.3-P1

# authoring-byte-order entry is generated, DO NOT DELETE
authoring-byte-order little-endian;

failover peer "wards" state {
  my state normal at 4 2026/11/26 06:00:00;
  partner state normal at 4 2026/11/26 06:00:00;
}
server-duid "\000\001\000\001+\3050\222\014\304z\254\001\002";

lease 10.20.0.5 {
  starts 4 2026/11/26 06:10:00;
  ends 4 2026/11/26 18:10:00;
  tstp 4 2026/11/26 18:10:00;
  tsfp 4 2026/11/26 18:10:00;
  atsfp 4 2026/11/26 18:10:00;
  cltt 4 2026/11/26 06:10:00;
  binding state active;
  next binding state expired;
  hardware ethernet 00:0c:29:c6:da:f5;
  uid "\001\000\014)\306\332\365";
  set vendor-class-identifier = "MSFT 5.0";
  option agent.circuit-id "Gi1/0/7";
  option agent.remote-id 0:e0:2b:0:0:1;
  client-hostname "POSTE-5";
}
lease 10.20.0.6 {
  starts 3 2026/11/25 01:00:00;
  ends 3 2026/11/25 13:00:00;
  tstp 3 2026/11/25 13:00:00;
  cltt 3 2026/11/25 01:00:00;
  binding state free;
  hardware ethernet 00:0c:29:c6:da:f6;
  client-hostname "PARTI";
}
lease 10.20.0.7 {
  starts 4 2026/11/26 05:00:00;
  ends never;
  binding state active;
  next binding state free;
  hardware ethernet 00:80:A3:01:02:03;
  client-hostname "Caf\303\251 \"radio\" {1}; #2";
}
lease 10.20.0.8 {
  starts 2 2026/11/24 09:00:00;
  ends 2 2026/11/24 09:30:00;
  binding state abandoned;
  next binding state free;
  client-hostname "FANTOME";
}
lease 10.20.0.5 {
  starts 4 2026/11/26 11:10:00;
  ends 4 2026/11/26 23:10:00;
  cltt 4 2026/11/26 11:40:00;
  binding state active;
  next binding state expired;
  hardware ethernet 00:0c:29:c6:da:f5;
  uid "\001\000\014)\306\332\365";
  set vendor-class-identifier = "MSFT 5.0";
  set ddns-fwd-name = "poste-5.reanimation.lan";
  client-hostname "POSTE-5";
}
lease 10.20.9.9 {
  starts 4 2026/11/26 10:00:00; ends 4 2026/11/26 22:00:00; cltt 4 2026/11/26 10:00:00; binding state active;
  hardware token-ring 00:06:29:00:00:01;
}
"""

DHCPD6 = r"""authoring-byte-order little-endian;

ia-na "\007\000\000\000\000\001\000\001+\3050\222\000\014)\306\332\365" {
  cltt 4 2026/11/26 09:00:00;
  iaaddr 2001:db8::5 {
    binding state active;
    preferred-life 27000;
    max-life 43200;
    ends 4 2026/11/26 21:00:00;
    set ddns-fwd-name = "poste-5.reanimation.lan";
  }
  iaaddr 2001:db8::6 {
    binding state expired;
    ends 4 2026/11/26 08:00:00;
  }
}

ia-pd "\007\000\000\000\000\001\000\001+\3050\222\000\014)\306\332\365" {
  cltt 4 2026/11/26 09:00:00;
  iaprefix 2001:db8:1::/56 {
    binding state active;
    ends 4 2026/11/26 21:00:00;
  }
}
"""

# Kea's own, of 2.6, with the row that deleting a lease adds, and the answers of its control agent.
KEA4 = """address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.20.0.5,00:0c:29:c6:da:f5,01:00:0c:29:c6:da:f5,43200,1795737600,1,1,1,poste-5.reanimation.lan.,0,{ "ISC": { "relay-agent-info": { "sub-options": "0x0104AABBCCDD" &#x2c "remote-id": "03030303" } } },0
10.20.0.6,00:0c:29:c6:da:f6,,43200,1795737600,1,0,0,declined,1,,0
10.20.0.7,00:80:a3:01:02:03,,4294967295,6090660295,1,0,0,,0,,0
10.20.0.8,00:0c:29:c6:da:f8,,0,1795690000,1,0,0,parti,0,,0
10.20.0.9,,ff:01:02:03,43200,1795730000,1,0,0,sans-carte,0,,0
10.20.0.10,00:0c:29:c6:da:fa,,43200,1795600000,1,0,0,vieux,2,,0
"""  # noqa: E501 - as Kea writes it
KEA6 = """address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
2001:db8::5,00:01:00:01:2c:5f:aa:bb:00:0c:29:c6:da:f5,43200,1795737600,1,27000,0,7,128,0,0,poste-5.reanimation.lan.,00:0c:29:c6:da:f5,0,,1,4,0
2001:db8::6,00:03:00:01:aa:bb:cc:dd:ee:f0,43200,1795737600,1,27000,0,7,128,0,0,,aa:bb:cc:dd:ee:f0,0,,1,2,0
2001:db8:ff00::,00:03:00:01:aa:bb:cc:dd:ee:f0,43200,1795737600,1,27000,2,9,56,0,0,,,0,,,,0
"""  # noqa: E501 - the same
KEA_LEASES: tuple[dict[str, Any], ...] = (
    {
        "client-id": "01:00:0c:29:c6:da:f5",
        "cltt": 1795694400,
        "fqdn-fwd": True,
        "fqdn-rev": True,
        "hostname": "poste-5.reanimation.lan.",
        "hw-address": "00:0c:29:c6:da:f5",
        "ip-address": "10.20.0.5",
        "state": 0,
        "subnet-id": 44,
        "user-context": {"ISC": {"relay-agent-info": {"circuit-id": 'a "}" b', "sub-options": "0x0104"}}},
        "valid-lft": 43200,
    },
    {
        "cltt": 1795690000,
        "hostname": "",
        "hw-address": "",
        "ip-address": "10.20.0.6",
        "state": 1,
        "valid-lft": 3600,
    },
    {
        "cltt": 1795690001,
        "duid": "01:02",
        "hostname": "",
        "ip-address": "2001:db8::7",
        "state": 0,
        "type": "IA_NA",
    },
    {
        "cltt": 1795690001,
        "duid": "01:02",
        "ip-address": "2001:db8:ff::",
        "prefix-len": 56,
        "state": 0,
        "type": "IA_PD",
    },
)
KEA_ANSWER = json.dumps(
    [
        {"arguments": {"leases": KEA_LEASES[:2]}, "result": 0, "text": "2 IPv4 lease(s) found."},
        {"arguments": {"leases": KEA_LEASES[2:]}, "result": 0, "text": "2 IPv6 lease(s) found."},
    ],
    indent=2,
)

_WINDOWS_LEASE = """          <Lease>
            <IPAddress>{address}</IPAddress>
            <ScopeId>10.20.0.0</ScopeId>
            <ClientId>{client}</ClientId>
            <HostName>{host}</HostName>
            <Description />
            <LeaseExpiryTime>{ends}</LeaseExpiryTime>
            <AddressState>{state}</AddressState>
            <ClientType>Dhcp</ClientType>
            <DnsRegistration>Complete</DnsRegistration>
          </Lease>
"""
WINDOWS_LEASES = (
    ("10.20.0.5", "00-0c-29-c6-da-f5", "POSTE-5.reanimation.lan", "2026-12-01T09:00:00+01:00", "Active"),
    ("10.20.0.6", "00-0c-29-c6-da-f6", "PARTI.reanimation.lan", "2026-11-20T09:00:00+01:00", "Expired"),
    ("10.20.0.7", "00-80-a3-01-02-03", "perfuseur &amp; 7", "", "ActiveReservation"),
    ("10.20.0.8", "00-80-a3-01-02-04", "absent", "", "InactiveReservation"),
    ("10.20.0.9", "52-41-53-20-01-02-03-04-05-06-07-08-09-0a-0b-0c", "", "2026-11-30T08:00:00Z", "Active"),
    ("10.20.0.10", "00-0c-29-c6-da-fa", "BAD_ADDRESS", "2026-11-30T08:00:00Z", "Declined"),
)
_ROWS = [
    dict(zip(("address", "client", "host", "ends", "state"), row, strict=True)) for row in WINDOWS_LEASES
]
WINDOWS = f"""<?xml version="1.0" encoding="utf-8"?>
<DHCPServer xmlns="http://schemas.microsoft.com/windows/DHCPServer">
  <MajorVersion>6</MajorVersion>
  <MinorVersion>3</MinorVersion>
  <IPv4>
    <ConflictDetectionAttempts>0</ConflictDetectionAttempts>
    <Scopes>
      <Scope>
        <ScopeId>10.20.0.0</ScopeId>
        <Name>Réanimation</Name>
        <SubnetMask>255.255.255.0</SubnetMask>
        <LeaseDuration>6.00:00:00</LeaseDuration>
        <State>Active</State>
        <Reservations>
          <Reservation>
            <Name>absent</Name>
            <IPAddress>10.20.0.8</IPAddress>
            <ClientId>00-80-a3-01-02-04</ClientId>
          </Reservation>
        </Reservations>
        <Leases>
{"".join(_WINDOWS_LEASE.format(**row) for row in _ROWS)}        </Leases>
      </Scope>
    </Scopes>
  </IPv4>
</DHCPServer>
"""
_TYPE = (
    "#TYPE Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DHCP/DhcpServerv4Lease\r\n"
)
_COLUMNS = ("IPAddress", "ScopeId", "AddressState", "ClientId", "Description", "HostName", "LeaseExpiryTime")


def windows_table(delimiter: str, moments: dict[str, str], *, first: str = _TYPE) -> str:
    """What Export-Csv makes of the leases; their moments are written as they are in a country."""
    rows = [_COLUMNS]
    for row in _ROWS:
        host, ends = row["host"].replace("&amp;", "&"), moments.get(row["ends"], "")
        rows.append((row["address"], "10.20.0.0", row["state"], row["client"], "", host, ends))
    lines = (delimiter.join(f'"{value}"' for value in row) + "\r\n" for row in rows)
    return first + "".join(lines)


FRENCH = {"2026-12-01T09:00:00+01:00": "01/12/2026 09:00:00", "2026-11-30T08:00:00Z": "30/11/2026 08:00:00"}
AMERICAN = {
    "2026-12-01T09:00:00+01:00": "12/1/2026 9:00:00 AM",
    "2026-11-30T08:00:00Z": "11/30/2026 8:00:00 AM",
}

DHCP = {
    "dhcpd": DHCPD.encode(),
    "dhcpd6": DHCPD6.encode(),
    "kea4": KEA4.encode(),
    "kea6": KEA6.encode(),
    "kea answer": KEA_ANSWER.encode(),
    "windows": WINDOWS.encode("utf-8-sig"),
    "windows utf-16": WINDOWS.replace("utf-8", "utf-16").encode("utf-16"),
    "table": windows_table(",", AMERICAN).encode(),
    "french table": windows_table(";", FRENCH, first="").encode("utf-16"),
}
"""Files of leases, by what wrote them."""

SAMPLES = {
    "dhcp": DHCPD.encode(),
    "masscan": MASSCAN.encode(),
    "nmap": NMAP.encode(),
    "zgrab2": ZGRAB2.encode(),
}


def read(form: str, content: bytes) -> list[Observation | ConfigError]:
    """What a format's reader makes of a file, packed or not."""
    (reader,) = (each.read for each in formats() if each.name == form)
    return list(reader(Source(unpacked(Watched(io.BytesIO(content))), "file", NOW)))


def heard(form: str, content: bytes) -> dict[str, dict[str, tuple[str, ...]]]:
    """By endpoint and probe: the evidence, once it is brought together."""
    with Gathered() as gathered:
        for found in read(form, content):
            assert not isinstance(found, ConfigError), found
            gathered.add(found)
        return told(each for _, seen in gathered.hosts() for each in seen)


def told(observations: Iterable[Observation]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The same, of observations."""
    return {f"{seen.endpoint} {seen.probe}": dict(seen.evidence) for seen in observations}
