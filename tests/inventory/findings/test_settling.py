"""Findings over scans, days and decisions, beside a model of a few lines."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from scanner.errors import ConfigError
from scanner.inventory import (
    Decision,
    Inventory,
    State,
    Wanted,
    decide,
    finding_history,
    findings_rows,
    is_settled,
    open_inventory,
    ranked_assets,
    settle_findings,
)
from scanner.inventory.findings import settling
from scanner.inventory.findings.keeping import hand_over_findings, keep
from scanner.inventory.findings.reading import findings_of
from scanner.inventory.phantoms import _remove
from scanner.inventory.tables import ASSETS, FINDING_CHANGES, FINDINGS
from scanner.inventory.transactions import reading, writing
from scanner.model import Endpoint, Observation, Outcome, Transport
from tests.inventory.hospital import (
    LTSC,
    NOON,
    NOTHING,
    RELEASES,
    SAMBA,
    TEN,
    TODAY,
    XP,
    host,
    record,
    seen,
    site_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.config import SiteFile
    from scanner.model import Identity

ADDRESSES = ("10.20.0.5", "10.20.0.6", "10.20.1.7")
IDENTITIES = {"xp": XP, "ten": TEN, "ltsc": LTSC, "samba": SAMBA, "nothing": NOTHING}
END = date(2027, 1, 12)
ELSEWHERE = "10.99.0.0/24"


def named(address: str) -> dict[str, tuple[str, ...]]:
    """What the machine at an address is known again by, whatever is installed on it."""
    return {"ntlm.netbios_name": (f"PC-{address[-4:]}",), "ntlm.netbios_domain": ("CHU",)}


def settle(inventory: Inventory, today: date = TODAY, **more: Any) -> settling.Settled:  # noqa: ANN401 - its options
    return settle_findings(inventory, today=today, releases=RELEASES, **more)


def stored(inventory: Inventory) -> dict[tuple[str, str], str]:
    rows = findings_rows(inventory, None, Wanted(frozenset(State)), today=TODAY, releases=RELEASES)
    return {(asset.address, finding.cause): finding.standing.state.value for asset, finding in rows}


def ids(inventory: Inventory) -> dict[tuple[str, str], int]:
    rows = findings_rows(inventory, None, Wanted(frozenset(State)), today=TODAY, releases=RELEASES)
    return {(asset.address, finding.cause): finding.id for asset, finding in rows}


def demand_history(inventory: Inventory) -> None:
    """Every finding is what its history adds up to, and nobody is in it without a name or a reason."""
    with reading(inventory) as connection:
        findings = connection.execute(select(FINDINGS)).all()
        lines = connection.execute(select(FINDING_CHANGES).order_by(FINDING_CHANGES.c.id)).all()
    assert len({(row.asset_id, row.cause) for row in findings}) == len(findings)
    sums: dict[int, dict[str, Any]] = {}
    for line in lines:
        before, after = json.loads(line.before), json.loads(line.after)
        known = sums.setdefault(line.finding_id, {})
        for name, value in before.items():
            assert known.get(name) in ({value, None} if not isinstance(value, list) else [value, None])
        first = not known
        known.update(after)
        assert bool(line.author) != bool(line.reason) or (first and not line.author)
    assert sums.keys() == {row.id for row in findings}
    for row in findings:
        known = sums[row.id]
        assert known["state"] == row.state
        assert (known.get("owner") or "", known.get("measure") or "") == (row.owner, row.measure)
        assert (known.get("due"), known.get("until")) == (
            str(row.due) if row.due else None,
            str(row.until) if row.until else None,
        )
        assert (known.get("isolated_in") or []) == json.loads(row.isolated_in)


class Model:
    """What is known of each machine, and how each finding stands; nothing but dictionaries."""

    def __init__(self) -> None:
        self.scan, self.today = 0, TODAY
        self.kind: dict[str, tuple[str, int]] = {}
        self.smb1: dict[str, str] = {}
        self.answers: dict[str, list[int]] = {}
        self.found: dict[tuple[str, str], dict[str, Any]] = {}

    def status(self, kind: str) -> str:
        if kind == "ltsc":
            return "ending" if self.today <= END else "unsupported"
        return {"xp": "unsupported", "ten": "depends", "samba": "unknown", "nothing": "unknown"}[kind]

    def settle(self) -> None:
        for address, (kind, scan) in self.kind.items():
            support = ("unsupported", "depends", "ending")
            status, smb1 = self.status(kind), self.smb1[address]
            before = {
                cause: dict(self.found[address, cause]) for cause in support if (address, cause) in self.found
            }
            for cause in support:
                shown = status == cause
                self.one(
                    address, cause, scan, shown=shown, gone=not shown and status != "unknown", before=before
                )
            self.one(address, "smb1", scan, shown=smb1 == "yes", gone=smb1 == "no", before={})

    def one(  # noqa: PLR0913 - what there is to know
        self,
        address: str,
        cause: str,
        scan: int,
        *,
        shown: bool,
        gone: bool,
        before: Mapping[str, dict[str, Any]],
    ) -> None:
        finding = self.found.get((address, cause))
        if finding is None:
            if shown:
                live = [each for each in before.values() if each["state"] not in {"closed", "replaced"}]
                kept = live and live[-1]["state"] in {"planned", "isolated"}
                new = dict(live[-1]) if kept else {"state": "open", "known": -1}
                self.found[address, cause] = new
            return
        state, known = finding["state"], finding["known"]
        answered = any(each > known for each in self.answers[address])
        if state == "closed":
            becomes = "open" if shown and scan > known else None
        elif gone:
            becomes = "closed"
        elif (state in {"isolated", "replaced"} and answered) or (
            state == "waived" and finding["until"] < self.today
        ):
            becomes = "open"
        else:
            becomes = None
        if becomes:
            finding.clear()
            finding.update(state=becomes, known=-1)


class Findings(RuleBasedStateMachine):
    """Scans, days and decisions in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.site: SiteFile = site_file(path)
        self.inventory = open_inventory(f"sqlite:///{path}/inventory.db", create=True)
        self.model = Model()

    @rule(
        address=st.sampled_from(ADDRESSES),
        kind=st.sampled_from(sorted(IDENTITIES)),
        smb1=st.sampled_from(["yes", "no", ""]),
    )
    def scan(self, address: str, kind: str, smb1: str) -> None:
        told = {"smb.native_os": ("x",)} | ({"smb.smb1": (smb1,)} if smb1 else {}) | named(address)
        number = record(
            self.inventory, self.site, [host(address, "Cardiologie", IDENTITIES[kind], seen(address, told))]
        )
        self.model.kind[address], self.model.smb1[address] = (kind, number), smb1
        self.model.answers.setdefault(address, []).append(number)
        self.model.scan = number

    @rule(days=st.integers(1, 90))
    def wait(self, days: int) -> None:
        self.model.today += timedelta(days=days)

    @rule()
    def settle(self) -> None:
        settle(self.inventory, self.model.today)
        self.model.settle()
        assert is_settled(self.inventory, today=self.model.today, releases=RELEASES)
        assert settle(self.inventory, self.model.today, anew=True) == settling.Settled()

    @rule(which=st.integers(0, 20), state=st.sampled_from(State), days=st.integers(0, 60))
    def decide(self, which: int, state: State, days: int) -> None:
        known = sorted(self.model.found)
        if not known:
            return
        place = known[which % len(known)]
        until = self.model.today + timedelta(days=days)
        waiver = {"until": until, "measure": "VLAN"} if state is State.WAIVED else {}
        decision = Decision(state, note="so", **waiver)  # type: ignore[arg-type]  # a day and a text
        finding = self.model.found[place]
        allowed = {"closed": {"closed", "open"}, "replaced": {"replaced", "open", "closed"}}
        if state.value not in allowed.get(finding["state"], set(State)):
            with pytest.raises(ConfigError):
                decide(
                    self.inventory, [ids(self.inventory)[place]], decision, author="a", today=self.model.today
                )
            return
        decide(self.inventory, [ids(self.inventory)[place]], decision, author="a", today=self.model.today)
        finding.clear()
        finding.update(state=state.value, known=self.model.scan)
        if waiver:
            finding["until"] = until

    @invariant()
    def as_the_model(self) -> None:
        assert stored(self.inventory) == {place: each["state"] for place, each in self.model.found.items()}
        demand_history(self.inventory)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.inventory.close()
            self.folder.cleanup()


TestFindings = Findings.TestCase
TestFindings.settings = settings(max_examples=12, stateful_step_count=14)


def test_another_day_looks_at_those_alone_of_whom_it_says_something_else(
    inventory: Inventory, site: SiteFile
) -> None:
    machines = [
        host(f"10.20.0.{last}", "Cardiologie", identity) for last, identity in ((1, XP), (2, LTSC), (3, XP))
    ]
    record(inventory, site, machines)
    settle(inventory)
    waived = ids(inventory)["10.20.0.3", "unsupported"]
    decision = Decision(State.WAIVED, until=END, measure="VLAN")
    decide(inventory, [waived], decision, author="a", today=TODAY)
    looked: list[int] = []
    before = settling._steps

    def steps(connection: Any, assets: Any, machines: Any) -> Any:  # noqa: ANN401 - as it is called
        looked.extend(assets)
        return before(connection, assets, machines)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settling, "_steps", steps)
        settle(inventory, END)
        assert looked == []
        settle(inventory, END + timedelta(days=1))
        assert looked == [2, 3]
        settle(inventory, TODAY)  # the clock jumped back
        assert looked == [2, 3, 2]
    demand_history(inventory)


def smb(address: str, **told: str) -> Any:  # noqa: ANN401 - an observation
    return seen(address, {key.replace("_", "."): (value,) for key, value in told.items()} | named(address))


def recorded(inventory: Inventory, site: SiteFile, identity: Identity = XP, **told: str) -> int:
    address = ADDRESSES[0]
    return record(
        inventory, site, [host(address, "Cardiologie", identity, smb(address, smb_native="x", **told))]
    )


def test_a_machine_has_a_finding_a_cause_and_its_closing_says_why(
    inventory: Inventory, site: SiteFile
) -> None:
    recorded(inventory, site, smb_smb1="yes", rdp_nla="no")
    assert settle(inventory).opened == 3
    recorded(inventory, site, LTSC, smb_smb1="no", rdp_nla="required")
    settled = settle(inventory, date(2025, 11, 23))
    assert (settled.opened, settled.closed) == (0, 3)
    reasons = {}
    for (_, cause), number in ids(inventory).items():
        last = finding_history(inventory, number)[1][-1]
        assert last.reason is not None
        reasons[cause] = last.reason.render("en")
    assert reasons == {
        "unsupported": "upgraded: Windows 10 is supported",
        "smb1": "it no longer answers SMB1",
        "rdp-without-nla": "its remote desktop has NLA now",
    }


def test_an_isolated_machine_may_answer_where_it_is_isolated_and_nowhere_else(
    inventory: Inventory, site: SiteFile
) -> None:
    recorded(inventory, site)
    settle(inventory)
    (number,) = ids(inventory).values()
    decide(
        inventory,
        [number],
        Decision(State.ISOLATED, isolated_in=("10.20.0.0/30", "10.20.0.4/30")),
        author="a",
        today=TODAY,
    )
    recorded(inventory, site)
    settle(inventory)
    assert set(stored(inventory).values()) == {"isolated"}
    decide(inventory, [number], Decision(State.ISOLATED, isolated_in=(ELSEWHERE,)), author="a", today=TODAY)
    settle(inventory, anew=True)
    assert set(stored(inventory).values()) == {"isolated"}, "what was heard before undoes no decision"
    address = ADDRESSES[0]
    link = Observation(
        Endpoint(address, 0, Transport.LINK),
        "arp",
        NOON,
        Outcome.ANSWERED,
        {"neighbour.mac": ("02:00:00:00:00:01",)},
    )
    silent = seen(address, outcome=Outcome.SILENT)
    record(inventory, site, [host(address, "Cardiologie", XP, link, silent)])
    settle(inventory)
    assert set(stored(inventory).values()) == {"isolated"}, (
        "its segment and silence are no answer over the network"
    )
    record(
        inventory, site, [host(address, "Cardiologie", XP, seen(address, outcome=Outcome.REFUSED, port=139))]
    )
    settle(inventory)
    assert set(stored(inventory).values()) == {"open"}
    reason = finding_history(inventory, number)[1][-1].reason
    assert reason is not None
    assert reason.values == {"endpoint": "10.20.0.5:139/tcp", "scan": "4"}


def test_a_decision_goes_from_ending_to_unsupported(inventory: Inventory, site: SiteFile) -> None:
    recorded(inventory, site, LTSC)
    settle(inventory)
    (number,) = ids(inventory).values()
    decision = Decision(State.PLANNED, "DSI", date(2027, 6, 1), note="ordered")
    decide(inventory, [number], decision, author="a", today=TODAY)
    settle(inventory, END + timedelta(days=1))
    (finding,) = (each for _, each in findings_rows(inventory, today=TODAY, releases=RELEASES))
    assert (finding.cause, finding.standing.state, finding.standing.owner) == (
        "unsupported",
        "planned",
        "DSI",
    )
    assert finding.standing.due == date(2027, 6, 1)
    assert stored(inventory)[ADDRESSES[0], "ending"] == "closed"


@pytest.mark.file
@pytest.mark.parametrize("kills", range(1, 5))
def test_killed_anywhere_nothing_is_doubled_and_the_next_run_finishes(
    kills: int, inventory: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = [
        host(f"10.20.0.{last}", "Cardiologie", XP, smb(f"10.20.0.{last}", smb_smb1="yes"))
        for last in range(1, 6)
    ]
    record(inventory, site, machines)
    kept, calls = keep, 0

    def dying(*arguments: Any, **more: Any) -> None:  # noqa: ANN401 - as it is called
        nonlocal calls
        calls += 1
        kept(*arguments, **more)
        if calls == kills:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(settling, "_AT_ONCE", 1)
        patched.setattr(settling, "keep", dying)
        with pytest.raises(KeyboardInterrupt):
            settle(inventory)
    assert len(stored(inventory)) == 2 * (kills - 1)
    assert not is_settled(inventory, today=TODAY, releases=RELEASES)
    assert settle(inventory).opened == 10 - 2 * (kills - 1)
    demand_history(inventory)


def test_a_decision_about_several_is_all_or_nothing(inventory: Inventory, site: SiteFile) -> None:
    recorded(inventory, site, smb_smb1="yes")
    settle(inventory)
    first, second = sorted(ids(inventory).values())
    decide(inventory, [second], Decision(State.CLOSED, note="done"), author="a", today=TODAY)
    before = stored(inventory)
    for wanted in ([first, second], [first, 99]):
        with pytest.raises(ConfigError, match=str(wanted[1])):
            decide(inventory, wanted, Decision(State.PLANNED), author="a", today=TODAY)
    with pytest.raises(ConfigError, match="--by"):
        decide(inventory, [first], Decision(State.PLANNED), author=" ", today=TODAY)
    assert stored(inventory) == before
    assert decide(inventory, [first], Decision(State.OPEN), author="a", today=TODAY) <= 1
    demand_history(inventory)


def test_the_most_pressing_comes_first_and_waived_ones_last(inventory: Inventory, site: SiteFile) -> None:
    where = {
        "10.20.0.1": "Cardiologie",
        "10.20.0.2": "Cardiologie",
        "10.20.1.70": "Bloc",
        "10.20.0.4": "Cardiologie",
    }
    told = {"10.20.0.2": {"smb_smb1": "yes"}}
    machines = [
        host(each, ward, XP, smb(each, smb_native="x", **told.get(each, {}))) for each, ward in where.items()
    ]
    record(inventory, site, [*machines, host("10.20.0.9", "Cardiologie", SAMBA)])
    settle(inventory)

    def order() -> list[str]:
        return [asset.address for asset in ranked_assets(inventory, today=TODAY, releases=RELEASES)]

    assert order() == ["10.20.0.2", "10.20.1.70", "10.20.0.1", "10.20.0.4"]
    waived = [number for (address, _), number in ids(inventory).items() if address == "10.20.0.2"]
    decide(inventory, waived, Decision(State.WAIVED, until=TODAY, measure="VLAN"), author="a", today=TODAY)
    closed = [number for (address, _), number in ids(inventory).items() if address == "10.20.0.1"]
    decide(inventory, closed, Decision(State.CLOSED, note="off"), author="a", today=TODAY)
    assert order() == ["10.20.1.70", "10.20.0.4", "10.20.0.2"]


def test_phantoms_take_their_findings_with_them_and_joined_machines_keep_the_history(
    inventory: Inventory, site: SiteFile
) -> None:
    machines = [host(each, "Cardiologie", XP, smb(each, smb_smb1="yes")) for each in ADDRESSES]
    record(inventory, site, machines)
    settle(inventory)
    with writing(inventory) as connection:
        first, second, third = connection.scalars(select(ASSETS.c.id).order_by(ASSETS.c.id))
        hand_over_findings(connection, second, first)
        assert set(findings_of(connection, FINDINGS.c.asset_id.in_([first, second]))) == {first}
        _remove(connection, [third])
        lines = connection.execute(select(FINDING_CHANGES)).all()
    assert len(lines) == 4
    assert len(stored(inventory)) == 2


@pytest.mark.file
def test_no_plan_reads_all_evidence(inventory: Inventory, site: SiteFile) -> None:
    recorded(inventory, site, smb_smb1="yes")
    settle(inventory)
    plans = []
    from sqlalchemy import event  # noqa: PLC0415 - for this test alone

    def explained(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401, ARG001 - SQLAlchemy's signature
        if statement.startswith("SELECT") and "evidence" in statement:
            plans.append(
                connection.connection.cursor()
                .execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                .fetchall()
            )

    event.listen(inventory.engine, "before_cursor_execute", explained)
    settle(inventory, anew=True)
    event.remove(inventory.engine, "before_cursor_execute", explained)
    details = [row[3] for plan in plans for row in plan]
    assert details
    assert not [each for each in details if each.startswith("SCAN") and "evidence_keys" not in each]
