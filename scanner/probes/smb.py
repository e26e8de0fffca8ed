"""The SMB probe: what a file server says of itself before anyone logs on.

One connection negotiates SMB 1 or 2, whichever the server prefers, and begins a session up to the NTLM
challenge. Where SMB 2 was agreed, a second one asks whether SMB 1 is on as well: it tells builds that NTLM
hides, and it is a finding of its own.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Reconnect, Send, netbios_session, ntlm, smb1, smb2, spnego
from scanner.probes.smb_redaction import redact
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scanner.probes import Conversation, Peer, Step

DIRECT: Final = 445
NETBIOS: Final = 139

KEYS: Final = (
    "smb.dialect",
    "smb.smb1",
    "smb.signing",
    "smb.server_guid",
    "smb.boot_time",
    "smb.native_os",
    "smb.native_lm",
    "smb.security",
    "smb.max_buffer",
    "smb.max_mpx",
    "smb.capabilities",
    "smb2.capabilities",
    "smb2.max_transact",
    "smb2.contexts",
    "netbios.name",
    "netbios.domain",
    *ntlm.KEYS,
)

_GUID: Final = struct.Struct("<IHH8s")
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

_Value = str | tuple[str, ...]


class _Course:
    """One conversation: what it asks, and the keys that it has already said something of."""

    def __init__(self, peer: Peer) -> None:
        self.netbios = peer.service == NETBIOS
        self.called = peer.evidence.get("netbios.name", (netbios_session.ANYBODY,))[0]
        self.said: set[str] = set()

    def open(self) -> Generator[Step, bytes, None]:
        """What a new connection begins with: on port 139, a NetBIOS session."""
        if self.netbios:
            request = netbios_session.session_request(self.called, netbios_session.CALLING)
            answer = yield Send(request, netbios_session.session_answer_framing)
            netbios_session.check_session_answer(answer)

    def ask(self, request: bytes) -> Generator[Step, bytes, bytes]:
        """One exchange: the SMB message that answers a request."""
        return netbios_session.smb_body((yield Send(request, netbios_session.smb_framing)))

    def learn(self, evidence: Mapping[str, _Value]) -> Generator[Step, bytes, None]:
        """Say what is not empty and not said yet: what the preferred dialect told goes before."""
        new = {key: value for key, value in evidence.items() if value and key not in self.said}
        if new:
            self.said.update(new)
            yield Learnt(new)


def converse(peer: Peer) -> Conversation:
    """The conversation with one host; its service, not its port, says which transport SMB has there."""
    course = _Course(peer)
    yield from course.open()
    try:
        answer = yield from course.ask(smb1.NEGOTIATE_ANY)
    except PeerClosedError as closed:
        yield from _without_smb1(course, closed)
        return
    if answer.startswith(smb2.MAGIC):
        try:
            yield from _speak_smb2(course, answer, 1)
        except (PeerClosedError, ProtocolError):
            # What SMB 2 does not tell, SMB 1 may; but a host that hangs up on both has not said no.
            yield from _ask_for_smb1(course, hanging_up_is_no=False)
            raise
        yield from _ask_for_smb1(course, hanging_up_is_no=True)
        return
    negotiated = smb1.parse_negotiate(answer)
    if negotiated is None:
        yield from _without_smb1(course, PeerClosedError("no dialect in common"))
    else:
        yield from _speak_smb1(course, negotiated)


def _speak_smb2(course: _Course, answer: bytes, message_id: int) -> Conversation:
    """From a negotiation's answer in SMB 2 to the challenge; ``message_id`` is the next one's."""
    negotiated = smb2.parse_negotiate(answer)
    yield from course.learn(host_facts(negotiated))
    if negotiated.dialect == smb2.WILDCARD:
        answer = yield from course.ask(smb2.negotiate_request(message_id))
        negotiated = smb2.parse_negotiate(answer)
        message_id += 1
    yield from course.learn(dialect_facts(negotiated))
    setup = smb2.parse_session_setup((yield from course.ask(smb2.session_setup_request(message_id))))
    if setup.pending:
        setup = smb2.parse_session_setup((yield from course.ask(b"")))
    yield from course.learn(challenge_facts(setup.blob))


def _speak_smb1(course: _Course, negotiated: smb1.Negotiated) -> Conversation:
    """From a negotiation's answer in SMB 1 to the end of its session setup."""
    yield from course.learn(smb1_facts(negotiated))
    if not negotiated.extended:
        request = smb1.anonymous_setup(negotiated)
    else:
        request = smb1.SETUP_SPNEGO if negotiated.blob else smb1.SETUP_NTLM
    setup = smb1.parse_session_setup((yield from course.ask(request)))
    yield from course.learn(setup_facts(setup))
    if "ntlm.challenge" not in course.said:
        yield from course.learn(challenge_facts(setup.blob))


def _ask_for_smb1(course: _Course, *, hanging_up_is_no: bool) -> Conversation:
    """Whether a host that prefers SMB 2 speaks SMB 1 too, over a second connection.

    Only the host's own refusal is a no. Where limits, time or the way there ended it, nothing is said.
    """
    try:
        yield Reconnect()
        yield from course.open()
    except (LimitError, PeerClosedError):
        return
    try:
        answer = yield from course.ask(smb1.NEGOTIATE_SMB1)
    except PeerClosedError:
        if hanging_up_is_no:
            yield from course.learn({"smb.smb1": "no"})
        return
    except LimitError:
        return
    negotiated = None if answer.startswith(smb2.MAGIC) else smb1.parse_negotiate(answer)
    if negotiated is None:
        yield from course.learn({"smb.smb1": "no"})
    else:
        yield from _speak_smb1(course, negotiated)


def _without_smb1(course: _Course, closed: PeerClosedError) -> Conversation:
    """A server that hangs up at an SMB 1 header, or has no dialect for it, may speak SMB 2 alone.

    Raises:
        PeerClosedError: as it came, where there is no second connection to find out.
    """
    try:
        yield Reconnect()
    except LimitError:
        raise closed from None
    yield from course.open()
    answer = yield from course.ask(smb2.negotiate_request(0))
    smb2.parse_negotiate(answer)
    yield from course.learn({"smb.smb1": "no"})
    yield from _speak_smb2(course, answer, 1)


def host_facts(negotiated: smb2.Negotiated) -> dict[str, _Value]:
    """What does not depend on the dialect; what is empty says nothing."""
    return {
        "smb.signing": negotiated.signing,
        "smb.server_guid": _guid(negotiated.guid),
        "smb.boot_time": _time(negotiated.start_time),
    }


def dialect_facts(negotiated: smb2.Negotiated) -> dict[str, _Value]:
    """What depends on it, and on what the client offered; what is empty says nothing."""
    return {
        "smb.dialect": smb2.DIALECTS.get(negotiated.dialect, ""),
        "smb2.capabilities": f"{negotiated.capabilities:#010x}",
        "smb2.max_transact": str(negotiated.max_transact),
        "smb2.contexts": negotiated.contexts,
    }


def smb1_facts(negotiated: smb1.Negotiated) -> dict[str, _Value]:
    """What an answer in SMB 1 tells; what is empty says nothing."""
    return {
        "smb.smb1": "yes",
        "smb.dialect": smb1.DIALECT,
        "smb.signing": negotiated.signing,
        "smb.security": "extended" if negotiated.extended else "plain",
        "smb.max_buffer": str(negotiated.max_buffer),
        "smb.max_mpx": str(negotiated.max_mpx),
        "smb.capabilities": f"{negotiated.capabilities:#010x}",
        "smb.server_guid": _guid(negotiated.guid),
        "netbios.name": printable(negotiated.server),
        "netbios.domain": printable(negotiated.domain),
    }


def setup_facts(setup: smb1.SessionSetup) -> dict[str, _Value]:
    """What a session setup's answer in SMB 1 tells beside the challenge; what is empty says nothing."""
    return {
        "smb.native_os": printable(setup.native_os),
        "smb.native_lm": printable(setup.native_lm),
        "netbios.domain": printable(setup.domain),
    }


def challenge_facts(blob: bytes) -> dict[str, _Value]:
    """What the NTLM challenge in a security token says; nothing where there is none.

    Raises:
        ProtocolError: the token is something else.
    """
    token = spnego.answer_token(blob) if blob else None
    if not token:
        return {}
    return {**ntlm.facts(token)}


def _guid(raw: bytes) -> str:
    """A GUID's usual form ([MS-DTYP] 2.3.4.2); nothing of one that is all zeros, which many hosts share."""
    if not raw.strip(b"\0"):
        return ""
    first, second, third, rest = _GUID.unpack(raw)
    return f"{first:08x}-{second:04x}-{third:04x}-{rest[:2].hex()}-{rest[2:].hex()}"


def _time(filetime: int) -> str:
    """A FILETIME ([MS-DTYP] 2.3.3) in ISO 8601, to the second; nothing of 0 and of what no calendar has."""
    microseconds = filetime // 10
    if not filetime or microseconds > _LAST:
        return ""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


PROBE: Final = Probe(
    "smb",
    Transport.TCP,
    (DIRECT, NETBIOS),
    KEYS,
    converse,
    rank=10,
    reveals=2,
    wants=("netbios.name",),
    exchanges=8,
    connections=2,
    size=1024,  # 839: port 139, where an SMB 1 header ends the connection and SMB 2 is negotiated twice
    logs=(
        "Usually nothing: the conversation ends before anyone logs on. Systems without extended security "
        "(Windows NT 4.0, old Samba) get a null session, which they may log as an anonymous network logon "
        "(event 528 or 540, type 3). Windows logs SMB 1 requests as event 3000 of "
        "Microsoft-Windows-SMBServer/Audit where AuditSmb1Access is on (Set-SmbServerConfiguration), and "
        "connections as event 5156 where Audit Filtering Platform Connection is on. An intrusion detection "
        "may report the sweep: tell it the scanner's address."
    ),
    trouble=(
        "None with what is sent. Windows Vista and Server 2008 without update MS09-050 stop at a negotiation "
        "of SMB 2 whose field Process ID High is not zero (CVE-2009-3103); here that field is always zero."
    ),
    redact=redact,
)
