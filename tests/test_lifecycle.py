from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import DataError
from scanner.lifecycle import Policy, judge, load_lifecycle, months_after, read_lifecycle
from scanner.model import Release, Status
from tests.corpus import FACTS
from tests.fact_ids import our_id

if TYPE_CHECKING:
    from pathlib import Path


RELEASES = load_lifecycle().releases
TODAY = date(2026, 11, 24)

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@st.composite
def candidate_sets(draw: st.DrawFn, *, dated: bool | None = None) -> list[Release]:
    ends = DAYS if dated else st.none() if dated is False else st.none() | DAYS
    chosen = draw(st.lists(ends, max_size=6))
    return [Release(f"x-{n}", f"X {n}", "X", "X", "X", end=end) for n, end in enumerate(chosen)]


POLICIES = st.builds(
    Policy,
    horizon_months=st.integers(0, 60),
    extensions=st.dictionaries(st.sampled_from(["x-0", "x-1", "x-5"]), DAYS, max_size=3),
)


# --- the table of design 4.2


@given(candidate_sets(), DAYS, POLICIES)
def test_an_undated_candidate_never_lets_anything_be_supported_or_not(
    candidates: list[Release], today: date, policy: Policy
) -> None:
    status = judge(candidates, today, policy).status
    if any(release.end is None for release in candidates) or not candidates:
        assert status in {Status.DEPENDS, Status.UNKNOWN}
    assert (status is Status.UNKNOWN) == all(release.end is None for release in candidates)


@given(candidate_sets(dated=True).filter(bool), DAYS, POLICIES)
def test_the_table(candidates: list[Release], today: date, policy: Policy) -> None:
    ends = [max(r.end or today, policy.extensions.get(r.id, date.min)) for r in candidates]
    horizon = months_after(today, policy.horizon_months)
    if all(end < today for end in ends):
        wanted = Status.UNSUPPORTED
    elif any(end < today for end in ends):
        wanted = Status.DEPENDS
    elif all(end > horizon for end in ends):
        wanted = Status.SUPPORTED
    else:
        wanted = Status.ENDING
    verdict = judge(candidates, today, policy)
    assert (verdict.status, verdict.earliest, verdict.latest) == (wanted, min(ends), max(ends))


WORSE = (Status.SUPPORTED, Status.ENDING, Status.DEPENDS, Status.UNSUPPORTED)


@given(candidate_sets(dated=True).filter(bool), DAYS, st.integers(0, 4000), POLICIES)
def test_nothing_gets_better_with_time(
    candidates: list[Release], today: date, days: int, policy: Policy
) -> None:
    now, later = (judge(candidates, day, policy).status for day in (today, today + timedelta(days=days)))
    assert WORSE.index(now) <= WORSE.index(later)


@given(candidate_sets(), candidate_sets(), DAYS, POLICIES)
def test_more_candidates_never_decide_what_was_open(
    some: list[Release], more: list[Release], today: date, policy: Policy
) -> None:
    more = [replace(release, id=f"y-{number}") for number, release in enumerate(more)]
    before, after = judge(some, today, policy).status, judge([*some, *more], today, policy).status
    if before is Status.DEPENDS:
        assert after is Status.DEPENDS
    if after in {Status.SUPPORTED, Status.UNSUPPORTED} and some:
        assert before is after


@given(candidate_sets(), DAYS, POLICIES)
def test_order_and_repetition_do_not_matter(candidates: list[Release], today: date, policy: Policy) -> None:
    one = judge(candidates, today, policy)
    other = judge([*reversed(candidates), *candidates], today, policy)
    assert (one.status, one.earliest, one.latest) == (other.status, other.earliest, other.latest)


@given(candidate_sets(dated=True).filter(bool), DAYS, st.integers(0, 60))
def test_an_extension_never_makes_it_worse(candidates: list[Release], today: date, months: int) -> None:
    held = Policy(months, {candidates[0].id: today + timedelta(days=365)})
    bare = judge(candidates, today, Policy(months)).status
    with_it = judge(candidates, today, held).status
    if bare is Status.UNSUPPORTED:
        assert with_it in {Status.DEPENDS, Status.ENDING, Status.SUPPORTED}
    else:
        assert WORSE.index(with_it) <= WORSE.index(bare)


def test_the_last_day_of_support_is_a_supported_day() -> None:
    xp = [RELEASES["windows-xp-sp3"]]
    assert judge(xp, date(2014, 4, 8)).status is Status.ENDING
    assert judge(xp, date(2014, 4, 9)).status is Status.UNSUPPORTED
    assert judge(xp, date(2013, 4, 8)).status is Status.ENDING
    assert judge(xp, date(2013, 4, 7)).status is Status.SUPPORTED


def test_a_day_that_a_month_lacks() -> None:
    assert months_after(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_after(date(2024, 12, 31), 2) == date(2025, 2, 28)
    assert months_after(date(2024, 5, 15), -5) == date(2023, 12, 15)
    assert months_after(date(9999, 6, 1), 12) == date.max


def test_an_extension_that_is_held_or_only_sold() -> None:
    release = RELEASES["windows-10-22h2-pro"]
    bare = judge([release], TODAY)
    assert bare.status is Status.UNSUPPORTED
    assert any("a paid extension exists until 2028-10-10" in reason.render() for reason in bare.reasons)
    held = judge([release], TODAY, Policy(extensions={release.id: date(2027, 10, 12)}))
    assert (held.status, held.latest) == (Status.ENDING, date(2027, 10, 12))
    assert any(
        "this site holds a paid extension until 2027-10-12" in reason.render() for reason in held.reasons
    )
    lapsed = judge([release], TODAY, Policy(extensions={release.id: date(2026, 10, 13)}))
    assert lapsed.status is Status.UNSUPPORTED


def test_an_extension_dates_nothing_that_has_no_date() -> None:
    release = RELEASES["windows-11-26h2-enterprise"]
    assert release.end is None
    assert judge([release], TODAY, Policy(extensions={release.id: date(2040, 1, 1)})).status is Status.UNKNOWN


# --- the data


def test_the_product_windows_xp_covers_what_people_mean_by_it() -> None:
    names = {release.name for release in RELEASES.values() if release.product == "Windows XP"}
    assert {
        "Windows XP RTM", "Windows XP SP3", "Windows XP Professional x64 Edition", "Windows XP Embedded",
        "Windows Embedded for Point of Service", "Windows Embedded Standard 2009",
        "Windows Embedded POSReady 2009", "Windows Fundamentals for Legacy PCs",
    } <= names  # fmt: skip
    assert not any("Server" in name for name in names)


def test_ids_that_others_rely_on() -> None:
    for name in ("windows-xp-sp3", "windows-10-22h2-pro", "windows-10-21h2-iot"):
        assert name in RELEASES


def test_base_builds() -> None:
    told = {name: RELEASES[name].ntlm_builds for name in RELEASES}
    assert told["windows-xp-sp1"] == told["windows-2000-server"] == told["windows-nt-4-server"] == ()
    assert told["windows-10-1909-pro"] == ("10.0.18362",)
    assert {
        told[f"windows-10-{x}"] for x in ("2004-pro", "20h2-pro", "21h1-pro", "22h2-pro", "21h2-iot")
    } == {("10.0.19041",)}
    assert told["windows-11-25h2-pro"] == told["windows-server-2025"] == ("10.0.26100",)
    assert RELEASES["windows-10-22h2-pro"].builds == ("10.0.19045",)


def test_every_windows_that_has_a_date_has_a_build_and_a_role() -> None:
    for release in RELEASES.values():
        if release.family == "Windows" and release.end:
            assert release.builds, release
            assert release.role, release


def test_sources_and_the_day_of_checking_are_there() -> None:
    assert all(release.source and release.checked for release in RELEASES.values())


def _facts(name: str) -> list[dict[str, str]]:
    if FACTS is None:
        return []
    with (FACTS / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


GATHERED = [row for row in _facts("lifecycle.csv") if row["family"] in {"windows", "windows-ce", "samba"}]
BUILDS = [row for row in _facts("windows_builds.csv") if row["lifecycle_ids"]]


@pytest.mark.parametrize("fact", GATHERED, ids=lambda row: row["product_id"])
def test_the_data_says_what_the_facts_say(fact: dict[str, str]) -> None:
    release = RELEASES[our_id(fact["product_id"])]
    assert str(release.end or "") == fact["extended_end"]
    assert str(release.esu_end or "") == fact["esu_end"]
    assert str(release.released or "") == fact["release_date"]
    if fact["role"] in {"client", "server", "embedded", "service"}:
        assert release.role == fact["role"]


@pytest.mark.parametrize(
    "fact", BUILDS, ids=lambda row: f"{row['nt_major']}.{row['nt_minor']}.{row['build']}"
)
def test_every_release_that_has_a_build_says_so(fact: dict[str, str]) -> None:
    build = f"{fact['nt_major']}.{int(fact['nt_minor'])}.{fact['build']}"
    strange = {"5.1.2700", "5.1.2710", "6.1.8400"}  # of low confidence in the facts: not in the data
    wanted = {our_id(name) for name in fact["lifecycle_ids"].split("|")}
    told = {name for name, release in RELEASES.items() if build in release.builds}
    assert build in strange or wanted <= told
    reported = fact["ntlm_reported_build"].split(" ")[0]
    if reported.isdigit() and build not in strange:
        base = f"{fact['nt_major']}.{int(fact['nt_minor'])}.{reported}"
        early = {"windows-xp-rtm", "windows-xp-sp1", "windows-xp-sp1a"}
        assert all(base in RELEASES[name].ntlm_builds for name in wanted - early)


# --- what a file must not say

GOOD = {
    "top": 'source = "s"\nchecked = 2026-01-01\nfamily = "F"\nvendor = "V"\nproduct = "P"\n[release]\n',
    "line": 'a = { name = "A", end = 2020-01-01 }\n',
}


def refused(tmp_path: Path, text: str) -> str:
    (tmp_path / "lifecycle").mkdir(exist_ok=True)
    file = tmp_path / "lifecycle" / "some.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_lifecycle(tmp_path)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('b = { nme = "B" }', ":8: release.b.nme: unknown key; did you mean name?"),
        ("b = { end = 2020-01-01 }", ":8: release.b.name: is missing, here and at the top of the file"),
        ('b = { name = "B", end = "2020-01-01" }', ":8: release.b.end: must be a date, like 2014-04-08"),
        ('b = { name = "B", end = 2020-01-01T00:00:00Z }', ":8: release.b.end: must be a date"),
        ('b = { name = "B", role = "king" }', ":8: release.b.role: must be one of client, server"),
        ('b = { name = "B", build = [1] }', ":8: release.b.build: must be a text or a list of texts"),
        ("b = { name = 1 }", ":8: release.b.name: must be a text"),
        ('b = { name = "B", released = 2021-01-01, end = 2020-01-01 }', ":8: release.b.end: lies before"),
        (
            'b = { name = "B", end = 2020-01-01, esu = 2020-01-01 }',
            ":8: release.b.esu: a paid extension must lie",
        ),
        ('b = { name = "B", esu = 2020-01-01 }', ":8: release.b.esu: a paid extension must lie"),
        ('b = { name = "a." }', ":8: release.b.name: is hardly to be told from A"),
        ('B = { name = "B" }', ":8: release.B: an id is lower-case"),
        ('b = { name = "B", anything = "yes" }', ":8: release.b.anything: must be true or false"),
        ("b = 1", ":8: release.b: must be a table"),
        ("[relase]\n", ":8: relase: unknown key; did you mean release?"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    assert refused(tmp_path, GOOD["top"] + GOOD["line"] + line).startswith(complaint)


def test_a_file_without_releases_is_refused(tmp_path: Path) -> None:
    assert "release: must be a table" in refused(tmp_path, 'source = "s"\n')


def test_an_id_stands_once(tmp_path: Path) -> None:
    for part in ("one", "two"):
        (tmp_path / part / "lifecycle").mkdir(parents=True)
        name = "A" if part == "one" else "B"
        text = GOOD["top"] + GOOD["line"].replace('"A"', f'"{name}"')
        (tmp_path / part / "lifecycle" / "some.toml").write_text(text, encoding="utf-8")
    both = read_lifecycle(tmp_path / "one", tmp_path / "two").releases
    assert {name: release.name for name, release in both.items()} == {"some-a": "B"}, "the later one counts"
    twice = GOOD["top"] + GOOD["line"].replace("a =", "a-b =", 1).replace('"A"', '"AB"')
    (tmp_path / "one" / "lifecycle" / "some.toml").write_text(twice, encoding="utf-8")
    other = twice.replace("a-b =", "b =")
    (tmp_path / "one" / "lifecycle" / "some-a.toml").write_text(other, encoding="utf-8")
    with pytest.raises(DataError, match="the id some-a-b stands twice"):
        read_lifecycle(tmp_path / "one")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-text"
    (folder / "lifecycle").mkdir(parents=True, exist_ok=True)
    try:
        (folder / "lifecycle" / "some.toml").write_text(GOOD["top"] + GOOD["line"] + text, encoding="utf-8")
    except UnicodeEncodeError:
        return
    try:
        read_lifecycle(folder)
    except DataError as error:
        refusal = str(error)
    else:
        refusal = ""
    assert not refusal or "some.toml" in refusal
