"""The tables of routers: walks to their end, and tables that lie about their order, their end, their rows."""

from __future__ import annotations

import itertools
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.probes import Learnt, Send, der, probes
from scanner.probes.snmp_tables import (
    EXCHANGES,
    MEDIA,
    NEIGHBOURS,
    PHYSICAL,
    REPETITIONS,
    ROWS,
    TABLES,
    address_in,
    mac_in,
    neighbours,
)
from scanner.wire import Reader
from tests.probes.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scanner.errors import ProbeError
    from scanner.probes import Step
    from tests.probes.conversation import Answer, Heard

COMMUNITY = "ward-reader"
GIVEN = {"community": (COMMUNITY,)}
FIRST = 0x4E45
END = b"\x82\0"
RFC = "[RFC 4293] section 5, in messages of [RFC 3416] section 3"
Row = tuple[str, bytes]


def mac(number: int) -> bytes:
    return der.element(der.OCTETS, b"\x00\x0c\x29" + number.to_bytes(3, "big"))


def physical(address: str, value: bytes, interface: int = 2) -> Row:
    packed = ip_address(address).packed
    kind = {4: 1, 16: 2}[len(packed)]
    return ".".join(map(str, (PHYSICAL, interface, kind, len(packed), *packed))), value


def media(address: str, value: bytes, interface: int = 2) -> Row:
    return f"{MEDIA}.{interface}.{address}", value


def response(request: int, rows: Sequence[Row], version: int = 1, status: int = 0) -> bytes:
    listed = [der.element(der.SEQUENCE, der.object_identifier(name), value) for name, value in rows]
    numbers = map(der.integer, (request, status, 0))
    pdu = der.element(0xA2, *numbers, der.element(der.SEQUENCE, *listed))
    return der.element(der.SEQUENCE, der.integer(version), der.element(der.OCTETS, COMMUNITY.encode()), pdu)


def pages(*said: Sequence[Row], version: int = 1, first: int = FIRST) -> list[Answer]:
    return [response(first + place, rows, version) for place, rows in enumerate(said)]


BEYOND: Row = ("1.3.6.1.2.1.4.35.1.5.2.1.4.10.20.0.5", b"\x02\x01\x03")
NEXT_TABLE: Row = ("1.3.6.1.2.1.4.24.1.0", b"\x02\x01\x03")
CONVERSATIONS = (
    Told(
        "a table of both families, in two answers",
        TABLES,
        [
            pages(
                [physical("10.20.0.5", mac(5)), physical("10.20.0.9", mac(9))],
                [physical("fd00:20::7", mac(7)), BEYOND],
            )
        ],
        {
            NEIGHBOURS: (
                "10.20.0.5 00:0c:29:00:00:05",
                "10.20.0.9 00:0c:29:00:00:09",
                "fd00:20::7 00:0c:29:00:00:07",
            )
        },
        RFC,
        given=GIVEN,
    ),
    Told(
        "a router that has the older table alone, and no view behind it",
        TABLES,
        [pages([(PHYSICAL, END)], [media("10.20.0.5", mac(5))], [(f"{MEDIA}.2.10.20.0.5", END)])],
        {NEIGHBOURS: ("10.20.0.5 00:0c:29:00:00:05",)},
        RFC,
        given=GIVEN,
    ),
    Told(
        "a router that speaks SNMPv1 alone",
        TABLES,
        [
            [
                LimitError(),
                LimitError(),
                *pages([physical("10.20.0.5", mac(5))], [BEYOND], version=0, first=FIRST + 2),
            ]
        ],
        {NEIGHBOURS: ("10.20.0.5 00:0c:29:00:00:05",)},
        "[RFC 1157] section 4.1.3, with the rows of " + RFC,
        given=GIVEN,
    ),
    Told(
        "an answer that got lost",
        TABLES,
        [
            [
                *pages([physical("10.20.0.5", mac(5))]),
                LimitError(),
                *pages([physical("10.20.0.6", mac(6)), BEYOND], first=FIRST + 2),
            ]
        ],
        {NEIGHBOURS: ("10.20.0.5 00:0c:29:00:00:05", "10.20.0.6 00:0c:29:00:00:06")},
        RFC,
        given=GIVEN,
    ),
)


def hold(*answers: Answer, community: tuple[str, ...] = (COMMUNITY,)) -> Heard:
    return Told("made here", TABLES, [answers], {}, RFC, given={"community": community}).hold()


def talk(
    answer: Callable[[int, bytes, int], bytes | ProbeError],
) -> tuple[dict[str, str | tuple[str, ...]], int, ProbeError | None]:
    """Hold the conversation with an agent: told the place and bytes of a question, and its request's id."""
    conversation = TABLES.converse(Told("made here", TABLES, [[]], {}, RFC, given=GIVEN).peer)
    learnt: dict[str, str | tuple[str, ...]] = {}
    said = 0
    step: Step = next(conversation)
    try:
        while True:
            if isinstance(step, Learnt):
                learnt |= step.evidence
                step = next(conversation)
                continue
            assert isinstance(step, Send)
            heard = answer(said, step.data, FIRST + said)
            said += 1
            if isinstance(heard, bytes):
                assert step.until(heard) == len(heard)
                step = conversation.send(heard)
            else:
                step = conversation.throw(heard)
    except StopIteration:
        return learnt, said, None
    except (ProtocolError, LimitError, PeerClosedError) as error:
        return learnt, said, error


def asked(question: bytes) -> tuple[int, int, str]:
    """Version, kind and object of a question."""
    message = der.enter(Reader(question), der.SEQUENCE, "")
    version = der.number(der.enter(message, der.INTEGER, ""))
    der.enter(message, der.OCTETS, "")
    kind, pdu = der.next_element(message)
    numbers = [der.number(der.enter(pdu, der.INTEGER, "")) for _ in range(3)]
    assert numbers[1:] == ([0, REPETITIONS] if kind == 0xA5 else [0, 0])
    binding = der.enter(der.enter(pdu, der.SEQUENCE, ""), der.SEQUENCE, "")
    return version, kind, der.dotted(der.enter(binding, der.OID, ""))


# --- what is said


def test_it_is_no_probe_of_a_visit() -> None:
    assert TABLES not in probes()
    assert TABLES.name not in {probe.name for probe in probes()}


def test_each_question_goes_on_where_the_answer_before_ended() -> None:
    heard = CONVERSATIONS[0].hold()
    assert [asked(each) for each in heard.said] == [
        (1, 0xA5, PHYSICAL),
        (1, 0xA5, physical("10.20.0.9", b"")[0]),
    ]


def test_version_1_asks_for_one_row_at_a_time() -> None:
    said = [asked(each)[:2] for each in CONVERSATIONS[2].hold().said]
    assert said == [(1, 0xA5)] * 2 + [(0, 0xA1)] * 2


def test_without_a_community_nothing_is_said() -> None:
    assert hold(community=()).said == []


def test_a_silent_router_is_left_alone_after_each_community_in_each_version_twice() -> None:
    heard = hold(*[LimitError()] * 40, community=("one", "two", "three", "four"))
    assert len(heard.said) == 3 * 2 * 2
    assert not heard.evidence
    assert heard.error is None, "the transport knows that all of it met silence"


def test_a_router_that_falls_silent_is_asked_once_more_and_what_it_said_stands() -> None:
    heard = hold(*pages([physical("10.20.0.5", mac(5))]), *[LimitError()] * 9)
    assert len(heard.said) == 3
    assert heard.evidence == {NEIGHBOURS: ("10.20.0.5 00:0c:29:00:00:05",)}
    assert isinstance(heard.error, LimitError)


def test_a_closed_port_ends_it_at_once() -> None:
    heard = hold(PeerClosedError(), community=("one", "two"))
    assert len(heard.said) == 1
    assert isinstance(heard.error, PeerClosedError)


def test_the_older_table_is_asked_where_the_newer_has_nothing_of_ipv4() -> None:
    heard = hold(*pages([physical("fd00:20::7", mac(7)), BEYOND], [media("10.20.0.5", mac(5)), NEXT_TABLE]))
    assert heard.evidence == {NEIGHBOURS: ("fd00:20::7 00:0c:29:00:00:07", "10.20.0.5 00:0c:29:00:00:05")}


def test_an_error_and_an_empty_answer_are_the_end_of_a_table() -> None:
    for first in (response(FIRST, [], status=2), response(FIRST, [])):
        heard = hold(first, *pages([media("10.20.0.5", mac(5)), NEXT_TABLE], first=FIRST + 1))
        assert heard.evidence == {NEIGHBOURS: ("10.20.0.5 00:0c:29:00:00:05",)}
        assert heard.error is None


def test_the_longest_communities_and_names_fit_into_what_is_declared() -> None:
    name = PHYSICAL + ".127" * 118  # 128 bytes: no object has a longer name
    heard = hold(*pages([(name, mac(1))], [BEYOND]), community=("x" * 255,))
    assert len(heard.said[1]) > 400
    assert max(map(len, heard.said)) <= TABLES.size // TABLES.exchanges


# --- tables that lie


def rows_without_end(request: int, number: Iterator[int], width: int = REPETITIONS) -> bytes:
    rows = [
        physical(str(ip_address(0x0A000000 + each)), mac(each)) for each in itertools.islice(number, width)
    ]
    return response(request, rows)


def test_a_table_that_never_ends_is_left_after_so_many_rows() -> None:
    number = itertools.count(1)
    learnt, said, error = talk(lambda _place, _question, request: rows_without_end(request, number))
    assert isinstance(error, LimitError)
    assert len(learnt[NEIGHBOURS]) == ROWS
    assert said == ROWS // REPETITIONS + 1 <= EXCHANGES


def test_a_table_of_one_row_an_answer_is_left_after_so_many_questions() -> None:
    number = itertools.count(1)
    learnt, said, error = talk(lambda _place, _question, request: rows_without_end(request, number, 1))
    assert isinstance(error, LimitError)
    assert said == len(learnt[NEIGHBOURS]) == EXCHANGES


@pytest.mark.parametrize(
    "second",
    [
        [physical("10.20.0.5", mac(5))],
        [physical("10.20.0.4", mac(4))],
        [(PHYSICAL, mac(4))],
        [physical("10.20.0.6", mac(6)), physical("10.20.0.6", mac(6))],
        [physical("10.20.0.7", mac(6)), physical("10.20.0.6", mac(6))],
    ],
    ids=["the same row", "backwards", "from the beginning", "twice in an answer", "backwards in an answer"],
)
def test_a_table_that_does_not_go_forward_is_left(second: list[Row]) -> None:
    heard = hold(*pages([physical("10.20.0.5", mac(5))], second), *[LimitError()] * 9)
    assert isinstance(heard.error, ProtocolError)
    assert len(heard.said) == 2
    assert "10.20.0.5 00:0c:29:00:00:05" in heard.evidence[NEIGHBOURS]


def test_rows_behind_the_column_are_not_taken() -> None:
    behind = (physical("10.20.0.5", b"")[0].replace(PHYSICAL, PHYSICAL[:-1] + "5"), mac(5))
    inside = physical("10.20.0.6", mac(6))
    assert hold(*pages([behind, inside], [NEXT_TABLE])).evidence == {}


def test_an_answer_to_another_question_is_passed_over() -> None:
    conversation = TABLES.converse(CONVERSATIONS[0].peer)
    step = next(conversation)
    assert isinstance(step, Send)
    assert step.until(response(FIRST + 1, [])) is None
    assert step.until(response(FIRST, [], version=0)) is None
    assert step.until(response(FIRST, [])) is not None


# --- rows


@given(st.ip_addresses(v=4), st.integers(0, 2**32 - 1))
def test_an_address_is_read_from_either_index(address: object, interface: int) -> None:
    octets = ip_address(str(address)).packed
    assert address_in(MEDIA, (interface, *octets)) == str(address)
    assert address_in(PHYSICAL, (interface, 1, 4, *octets)) == str(address)


@given(st.ip_addresses(v=6))
def test_an_address_of_ipv6_too(address: object) -> None:
    octets = ip_address(str(address)).packed
    assert address_in(PHYSICAL, (1, 2, 16, *octets)) == str(ip_address(octets))


@pytest.mark.parametrize(
    ("column", "index"),
    [
        (MEDIA, ()),
        (MEDIA, (1, 10, 20, 0)),
        (MEDIA, (1, 10, 20, 0, 5, 6)),
        (MEDIA, (1, 10, 20, 0, 256)),
        (PHYSICAL, (1, 10, 20, 0, 5)),
        (PHYSICAL, (1, 1, 4, 10, 20, 0)),
        (PHYSICAL, (1, 1, 16, *range(16))),
        (PHYSICAL, (1, 2, 4, 10, 20, 0, 5)),
        (PHYSICAL, (1, 4, 20, *range(20))),
        (PHYSICAL, (1, 16, 3, 97, 46, 98)),
        (PHYSICAL, (1, 1, 4, 10, 20, 0, 1 << 900)),
    ],
)
def test_what_is_no_address_is_none(column: str, index: tuple[int, ...]) -> None:
    assert address_in(column, index) is None


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (der.OCTETS, b""),
        (der.OCTETS, bytes(6)),
        (der.OCTETS, b"\xff" * 6),
        (der.OCTETS, bytes.fromhex("01005e000001")),
        (der.OCTETS, bytes.fromhex("333300000001")),
        (der.OCTETS, bytes.fromhex("000c290000")),
        (der.OCTETS, bytes.fromhex("000c290000050000")),
        (der.INTEGER, bytes.fromhex("000c29000005")),
    ],
    ids=["none", "zero", "everybody's", "a group's", "another group's", "five", "eight", "a number"],
)
def test_what_is_no_machines_card_is_none(tag: int, value: bytes) -> None:
    assert mac_in(tag, Reader(value)) is None


@given(st.lists(st.tuples(st.ip_addresses(), st.integers(1, 0xFFFFFF)), max_size=30))
def test_what_is_told_is_what_the_table_had(table: list[tuple[object, int]]) -> None:
    rows = sorted(
        {physical(str(address), mac(card))[0]: (str(address), card) for address, card in table}.items(),
        key=lambda row: tuple(map(int, row[0].split("."))),
    )
    said = iter(
        [*([physical(address, mac(card))] for _, (address, card) in rows), [NEXT_TABLE], [NEXT_TABLE]]
    )

    def answer(_place: int, question: bytes, request: int) -> bytes:
        return response(request, next(said, [NEXT_TABLE]), asked(question)[0])

    learnt, _, error = talk(answer)
    values = learnt.get(NEIGHBOURS, ())
    assert isinstance(values, tuple)
    found = {
        each.address: int(each.mac.replace(":", "")[6:], 16) for each in neighbours({NEIGHBOURS: values})
    }
    assert error is None
    assert found == {str(ip_address(address)): card for _, (address, card) in rows}


# --- the community is a secret


def test_the_community_stands_in_nothing_that_is_kept() -> None:
    for told in CONVERSATIONS:
        heard = told.hold()
        kept = [repr(heard.evidence), repr(heard.error), repr(TABLES.redact(tuple(heard.raw)))]
        assert not [each for each in kept if COMMUNITY in each]
    for broken in (
        response(FIRST, [])[:20],
        b"\x30",
        response(FIRST, [(PHYSICAL, END)]).replace(b"\xa2", b"\xa5"),
    ):
        assert COMMUNITY not in repr(hold(broken).error)
