"""One finding: who may see it, who may decide, and that nothing is written that should not be."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from scanner.dashboard.pages import pages
from scanner.dashboard.visitor import Role
from scanner.inventory import (
    ChangedError,
    Decision,
    State,
    Wanted,
    causes,
    decide,
    finding_history,
    finding_shown,
    findings_rows,
    settle_findings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House
    from scanner.inventory import Standing

    Client = Callable[..., TestClient]

HARMFUL = "<script>alert(1)</script> \"'&amp; \u202egnp.exe \x00\x1b[31m"


@pytest.fixture
def settled(house: House) -> House:
    settle_findings(house.inventory, today=house.today)
    return house


def form_of(page: str) -> dict[str, str]:
    """The fields of the form that decides, as a browser would send them back."""
    form = page[page.index('class="decision"') :]
    form = form[: form.index("</form>")]
    fields = {
        name: unescape(value)
        for tag in re.findall(r"<input[^>]*>", form)
        for name in re.findall(r'name="([^"]*)"', tag)
        for value in re.findall(r'value="([^"]*)"', tag)
    }
    texts = re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    fields |= {name: unescape(text) for name, text in texts}
    chosen = re.search(r'<option value="([^"]*)" selected', form)
    return fields | {"state": chosen[1] if chosen else ""}


def send(client: TestClient, number: int = 1, /, **typed: Any) -> Any:  # noqa: ANN401 - a response of the test client
    fields = form_of(client.get(f"/findings/{number}").text)
    return client.post(f"/findings/{number}", data={**fields, **typed})


def standing(house: House, number: int = 1) -> Standing:
    return finding_history(house.inventory, number)[0].standing


def lines(house: House, number: int = 1) -> int:
    return len(finding_history(house.inventory, number)[1])


def test_a_decision_is_kept_with_who_made_it(settled: House, client: Client) -> None:
    answer = send(client(), state="planned", owner="  DSI \n poste ", due="2027-03-31", note="ordered")
    assert (answer.status_code, answer.headers["location"]) == (303, "/findings/1?kept=1")
    kept, changes = finding_history(settled.inventory, 1)
    assert (kept.standing.state, kept.standing.owner, str(kept.standing.due)) == (
        State.PLANNED,
        "DSI poste",
        "2027-03-31",
    )
    assert (changes[-1].author, changes[-1].note, changes[-1].at) == ("tester", "ordered", settled.now())
    page = client().get("/findings/1?kept=1").text
    assert "Your change is kept." in page
    assert "ordered" in page
    assert "Your change is kept." not in client().get("/findings/1?kept=2").text


def test_what_is_decided_is_what_the_command_would_have_kept(settled: House, client: Client) -> None:
    until = settled.today + timedelta(days=30)
    steps: tuple[tuple[dict[str, str], Decision], ...] = (
        (
            {"state": "isolated", "isolated_in": "10.9.0.0/24"},
            Decision(State.ISOLATED, isolated_in=("10.9.0.0/24",)),
        ),
        (
            {"state": "waived", "until": str(until), "measure": "VLAN"},
            Decision(State.WAIVED, until=until, measure="VLAN"),
        ),
        ({"measure": "VLAN, jump host"}, Decision(measure="VLAN, jump host")),
        ({"state": "replaced"}, Decision(State.REPLACED)),
        ({"state": "closed", "note": "gone"}, Decision(State.CLOSED, note="gone")),
        ({"state": "open", "owner": "biomedical"}, Decision(State.OPEN, owner="biomedical")),
        ({"owner": ""}, Decision(owner="")),
    )
    other = 2
    for typed, decision in steps:
        assert send(client(), 1, **typed).status_code == 303, typed
        decide(settled.inventory, [other], decision, author="DSI", today=settled.today)
        assert standing(settled) == standing(settled, other), typed
    assert lines(settled) == lines(settled, other)


def test_of_two_who_change_one_finding_the_second_is_told(settled: House, client: Client) -> None:
    first, second = client(), client()
    fields = form_of(second.get("/findings/1").text)
    assert send(first, state="planned", owner="DSI", note="mine first").status_code == 303
    before = lines(settled)
    typed = {**fields, "state": "replaced", "owner": "biomedical", "note": "and mine"}
    answer = second.post("/findings/1", data=typed)
    assert answer.status_code == 409
    assert lines(settled) == before
    assert standing(settled).owner == "DSI"
    assert "Somebody changed this finding meanwhile" in answer.text
    conflict = answer.text[answer.text.index('id="conflict"') :].split("</div>")[0]
    assert "mine first" in conflict
    again = form_of(answer.text)
    assert {name: again[name] for name in ("state", "owner", "note")} == {
        "state": "replaced",
        "owner": "biomedical",
        "note": "and mine",
    }
    assert second.post("/findings/1", data=again).status_code == 303
    assert standing(settled).owner == "biomedical"


def test_who_comes_between_the_look_and_the_writing_is_found_too(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*given: Any, **named: Any) -> int:  # noqa: ANN401 - those of decide
        decide(settled.inventory, [1], Decision(owner="DSI"), author="DSI", today=settled.today)
        return decide(*given, **named)

    monkeypatch.setattr("scanner.dashboard.pages.finding.decide", late)
    answer = send(client(), owner="biomedical")
    assert answer.status_code == 409
    assert standing(settled).owner == "DSI"


def test_the_inventory_itself_writes_nothing_over_a_change(settled: House) -> None:
    shown = finding_shown(settled.inventory, 1, today=settled.today)
    assert shown is not None
    decide(settled.inventory, [1], Decision(note="meanwhile"), author="DSI", today=settled.today)
    with pytest.raises(ChangedError):
        decide(settled.inventory, [1], Decision(owner="x"), author="y", today=settled.today, seen=shown.seen)
    assert standing(settled).owner == ""


def test_sent_twice_it_is_written_once(settled: House, client: Client) -> None:
    visitor = client()
    fields = {**form_of(visitor.get("/findings/1").text), "note": "once"}
    assert [visitor.post("/findings/1", data=fields).status_code for _ in range(2)] == [303, 409]
    assert lines(settled) == 2


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"state": "x"}, "state", "it cannot become that"),
        ({"state": ""}, "state", "it cannot become that"),
        ({"due": "31/03/2027"}, "due", "this is no day"),
        ({"due": "2027-02-30"}, "due", "this is no day"),
        ({"due": "99999-01-01"}, "due", "this is no day"),
        ({"state": "waived"}, "until", "a waiver has a last day"),
        ({"state": "waived", "until": "2020-01-01", "measure": "x"}, "until", "cannot end before today"),
        ({"state": "waived", "until": "2027-01-01", "measure": " \t"}, "measure", "makes up for it"),
        ({"until": "2027-01-01"}, "until", "belongs to a waiver"),
        ({"measure": "VLAN"}, "measure", "belongs to a waiver"),
        ({"isolated_in": "10.0.0.0/8"}, "isolated_in", "belongs to an isolation"),
        ({"state": "isolated", "isolated_in": "nowhere <b>"}, "isolated_in", "neither a subnet nor a ward"),
        ({"state": "closed"}, "note", "say why it is closed"),
        ({"note": "n" * 2001}, "note", "longer than 2000"),
        ({"owner": "n" * 10_000}, "owner", "longer than 2000"),
        ({"state": "isolated", "isolated_in": "1\n" * 5000}, "isolated_in", "longer than 2000"),
        ({}, "", "nothing was written"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    settled: House, client: Client, typed: dict[str, str], field: str, words: str
) -> None:
    kept = {"owner": "DSI <poste>", **typed} if field else typed
    answer = send(client(), **kept)
    assert answer.status_code == 400
    assert words in answer.text
    assert "<b>" not in answer.text
    if field:
        assert f'id="{field}-wrong"' in answer.text
        assert re.search(
            rf'id="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="{field}-wrong', answer.text
        )
    again = form_of(answer.text)
    assert {name: again[name] for name in kept if name != "state"} == {
        name: text for name, text in kept.items() if name != "state"
    }
    assert lines(settled) == 1


def test_a_day_that_was_set_is_not_lost_in_silence(settled: House, client: Client) -> None:
    assert send(client(), due="2027-03-31").status_code == 303
    answer = send(client(), due="")
    assert answer.status_code == 400
    assert "can be changed, and not taken away" in answer.text
    assert str(standing(settled).due) == "2027-03-31"


def test_what_belongs_to_a_waiver_goes_with_it(settled: House, client: Client) -> None:
    assert send(client(), state="waived", until="2027-01-01", measure="VLAN").status_code == 303
    assert send(client(), state="open").status_code == 303
    assert (standing(settled).until, standing(settled).measure) == (None, "")


def test_a_note_is_shown_and_never_obeyed(settled: House, client: Client) -> None:
    ward = next(
        asset.place.ward
        for asset, each in findings_rows(settled.inventory, today=settled.today)
        if each.id == 1
    )
    assert send(client(), note=HARMFUL + "שלום" + "y" * 1900, owner=HARMFUL).status_code == 303
    for page in (client().get("/findings/1").text, client().get("/findings").text):
        assert "<script>alert" not in page
        assert not set("\u202e\x00\x1b") & set(page)
    assert "&lt;script&gt;" in client().get("/findings/1").text
    assert "שלום" in client().get("/findings/1").text
    assert send(client(), state="isolated", isolated_in=f" {ward}\n\n10.9.0.0/24\n").status_code == 303
    assert "10.9.0.0/24" in standing(settled).isolated_in
    assert len(standing(settled).isolated_in) > 1


def test_only_those_who_see_the_ward_find_it(settled: House, client: Client) -> None:
    found = {each.id: asset.place for asset, each in findings_rows(settled.inventory, today=settled.today)}
    mine, other = found[1], next(place for place in found.values() if place.ward != found[1].ward)
    assert client(wards=(mine.ward,)).get("/findings/1").status_code == 200
    fields = form_of(client().get("/findings/1").text)
    for stranger in (client(wards=(other.ward,)), client(sites=("elsewhere",))):
        hidden, missing = stranger.get("/findings/1"), stranger.get("/findings/99999")
        assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
        assert hidden.status_code == 404
        assert stranger.post("/findings/1", data={**fields, "owner": "x"}).status_code == 404
    assert lines(settled) == 1


@pytest.mark.parametrize(
    "number", ["0", "-1", "x", "1.0", "²", "99999999999", "9" * 5000, "1;drop", "\u0661"]
)
def test_what_is_no_finding_is_not_found(settled: House, client: Client, number: str) -> None:
    assert settled.inventory
    for answer in (
        client().get(f"/findings/{number}"),
        client().post(f"/findings/{number}", data={"seen": "1"}),
    ):
        assert answer.status_code == 404
        assert number not in answer.text or len(number) < 8


@pytest.mark.parametrize("seen", [None, "", "x", "-1", "1²", "9" * 100])
def test_a_form_that_is_none_of_ours_changes_nothing(
    settled: House, client: Client, seen: str | None
) -> None:
    fields = {"state": "open", "owner": "x"} | ({} if seen is None else {"seen": seen})
    assert client().post("/findings/1", data=fields).status_code == 400
    assert client().post("/findings/1", data={"seen": "0", "owner": "x"}).status_code == 409
    assert lines(settled) == 1


def test_readers_are_shown_no_form_and_may_send_none(settled: House, client: Client) -> None:
    assert settled.inventory
    assert 'class="decision"' not in client(Role.READER).get("/findings/1").text
    assert 'class="decision"' in client(Role.REMEDIATOR).get("/findings/1").text
    changing = [page for page in pages() if page.path.startswith("/findings") and page.methods != ("GET",)]
    assert [(page.methods, page.needs) for page in changing] == [(("POST",), Role.REMEDIATOR)]


def test_looking_changes_nothing(settled: House, client: Client) -> None:
    fields = form_of(client().get("/findings/1").text)
    assert (
        client().get("/findings/1", params={**fields, "owner": "x", "state": "replaced"}).status_code == 200
    )
    assert (lines(settled), standing(settled).owner) == (1, "")
    assert client().put("/findings/1").status_code in {403, 405}


def test_who_has_no_name_decides_nothing(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless(*given: Any, **named: Any) -> int:  # noqa: ANN401 - those of decide
        return decide(*given, **{**named, "author": " "})

    monkeypatch.setattr("scanner.dashboard.pages.finding.decide", nameless)
    answer = send(client(), owner="x")
    assert answer.status_code == 400
    assert "who decides" in answer.text
    assert lines(settled) == 1


def test_medical_devices_say_what_their_manufacturer_must_do(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settled.inventory
    assert "It may be a medical device" not in client().get("/findings/1").text
    monkeypatch.setattr("scanner.exports.medical.may_be_medical", lambda _asset: True)
    assert "It may be a medical device" in client().get("/findings/1").text


def test_an_unknown_cause_is_shown_by_its_name(settled: House, client: Client) -> None:
    number = next(
        each.id
        for _, each in findings_rows(settled.inventory, None, Wanted(), today=settled.today)
        if each.cause in causes()
    )
    page = client(language="fr").get(f"/findings/{number}")
    assert page.status_code == 200
