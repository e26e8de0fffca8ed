"""HTTP answers made for tests, and the NTLM challenges in them. Their codec is not the product's."""

from __future__ import annotations

from base64 import b64encode

from tests.probes.made import challenge

OLD = challenge()
"""Windows XP's."""
NTLM = "NTLM " + b64encode(OLD).decode()


def head(status: str, *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *headers, "", ""]).encode("latin-1")


def page(title: str, body: str = "x") -> bytes:
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>".encode()


def answer(content: bytes, status: str = "200 OK", *headers: str, version: str = "1.1") -> tuple[bytes, ...]:
    """A header block, and the body that it announces."""
    block = head(status, *headers, f"Content-Length: {len(content)}", version=version)
    return (block, content) if content else (block,)


def negotiation(token: bytes) -> str:
    """[RFC 4178] 4.2.2: a NegTokenResp that goes on with NTLM, as Windows sends it."""
    mechanism = bytes.fromhex("a10c060a2b06010401823702020a")
    response = _element(0xA2, _element(0x04, token))
    content = bytes.fromhex("a0030a0101") + mechanism + response
    return "Negotiate " + b64encode(_element(0xA1, _element(0x30, content))).decode()


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag, 0x82, size >> 8, size & 0xFF]) + content
