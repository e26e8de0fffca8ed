from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.classify import Classifier, default_classifier
from scanner.classify.weighing import consistent_sides
from scanner.errors import DataError
from scanner.fingerprints import load_fingerprints, read_fingerprints
from scanner.lifecycle import judge, load_lifecycle
from scanner.model import Certainty, Evidence, Identity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TODAY = date(2026, 11, 24)
CLASSIFIER = default_classifier()
LIFECYCLE = load_lifecycle()
FORGETFUL = Classifier(load_fingerprints(), LIFECYCLE)
RELEASES = LIFECYCLE.releases

XP = {"smb.native_os": "Windows 5.1", "smb.native_lm": "Windows 2000 LAN Manager"}
XP_LIMITS = {"smb.max_mpx": "10", "smb.max_buffer": "4356", "smb.capabilities": "0x8000e3fd"}
EMBEDDED_XP = {
    "windows-xp-embedded",
    "windows-wepos",
    "windows-embedded-standard-2009",
    "windows-posready-2009",
    "windows-legacy-pcs",
}


def evidence(*parts: Mapping[str, str | tuple[str, ...]], **more: str) -> Evidence:
    merged = {key: value for part in (*parts, more) for key, value in part.items()}
    return {
        key.replace("__", "."): value if isinstance(value, tuple) else (value,)
        for key, value in merged.items()
    }


def classify(*parts: Mapping[str, str | tuple[str, ...]], **more: str) -> Identity:
    return CLASSIFIER.classify(evidence(*parts, **more))


def status(identity: Identity) -> Status:
    return judge([RELEASES[name] for name in identity.candidates], TODAY).status


def products(identity: Identity) -> set[str]:
    return {RELEASES[name].product for name in identity.candidates}


def told(identity: Identity) -> str:
    return "\n".join(reason.render("en") for reason in identity.reasons)


# --- the traps of design 4.2


def test_xp_with_two_voices_is_certain_and_nothing_else_than_xp() -> None:
    identity = classify(XP, XP_LIMITS, ntlm__version="5.1.2600")
    assert identity.certainty is Certainty.CERTAIN
    assert products(identity) == {"Windows XP"}
    assert identity.attributes["product"] == "Windows XP"
    assert set(identity.candidates) >= EMBEDDED_XP | {"windows-xp-sp3"}
    assert "windows-xp-x64" not in identity.candidates
    assert status(identity) is Status.UNSUPPORTED


def test_5_1_2600_is_never_narrowed_to_or_from_the_embedded_ones() -> None:
    for parts in ((XP,), (XP, XP_LIMITS), ({"ntlm.version": "5.1.2600"},), (XP, {"smb.max_mpx": "16"})):
        assert set(classify(*parts).candidates) >= EMBEDDED_XP


def test_no_ntlm_version_leaves_every_service_pack_of_xp() -> None:
    identity = classify(XP, ntlm__challenge="unversioned")
    assert {"windows-xp-rtm", "windows-xp-sp1a", "windows-xp-sp3"} <= set(identity.candidates)
    stated = classify(XP, ntlm__version="5.1.2600", ntlm__challenge="versioned")
    assert {"windows-xp-rtm", "windows-xp-sp1", "windows-xp-sp1a"}.isdisjoint(stated.candidates)


@pytest.mark.parametrize(
    "said",
    [{"ntlm.version": "6.1.0"}, {"smb.native_os": "Windows 6.1"}, {"smb.native_lm": "Samba 4.17.12-Debian"}],
)
def test_samba_is_no_windows_7(said: dict[str, str]) -> None:
    identity = classify(said)
    assert products(identity) == {"Samba"}
    assert identity.attributes["family"] == "Linux"


def test_5_2_3790_is_xp_x64_or_a_server() -> None:
    identity = classify(ntlm__version="5.2.3790")
    assert {"windows-xp-x64", "windows-server-2003-sp2", "windows-server-2003-r2"} <= set(identity.candidates)
    named = classify(ntlm__version="5.2.3790", smb__native_os="Windows XP 3790 Service Pack 2")
    assert named.candidates == ("windows-xp-x64",)
    assert named.certainty is Certainty.CERTAIN


@pytest.mark.parametrize("build", ["6.1.7601", "6.3.9600", "10.0.14393", "10.0.17763", "10.0.26100"])
def test_one_build_is_client_or_server(build: str) -> None:
    roles = {RELEASES[name].role for name in classify(ntlm__version=build, smb__dialect="2.1").candidates}
    assert {"client", "server"} <= roles
    hinted = classify(ntlm__version=build, smb__max_buffer="16644")
    assert {RELEASES[name].role for name in hinted.candidates} == roles


def test_19041_is_everything_from_2004_to_22h2_and_ltsc_2021() -> None:
    identity = classify(ntlm__version="10.0.19041", smb__dialect="3.1.1")
    verdict = judge([RELEASES[name] for name in identity.candidates], TODAY)
    assert (verdict.status, verdict.earliest, verdict.latest) == (
        Status.DEPENDS,
        date(2021, 12, 14),
        date(2032, 1, 13),
    )
    assert {"windows-10-2004-pro", "windows-10-22h2-enterprise", "windows-10-21h2-iot"} <= set(
        identity.candidates
    )


def test_17763_is_a_client_of_2020_or_a_server_of_2029() -> None:
    identity = classify(ntlm__version="10.0.17763")
    verdict = judge([RELEASES[name] for name in identity.candidates], TODAY)
    assert (verdict.status, verdict.earliest, verdict.latest) == (
        Status.DEPENDS,
        date(2020, 11, 10),
        date(2029, 1, 9),
    )


def test_windows_11_is_10_0_and_may_call_itself_10() -> None:
    assert products(classify(ntlm__version="10.0.22621")) == {"Windows 11"}
    assert products(classify(smb__native_os="Windows 10 Pro 22631", smb__native_lm="Windows 10 Pro 6.3")) == {
        "Windows 11"
    }


def test_the_real_build_narrows_the_base_build() -> None:
    identity = classify(
        ntlm__version="10.0.19041", smb__native_os="Windows 10 Pro 19045", smb__native_lm="Windows 10 Pro 6.3"
    )
    assert identity.candidates == ("windows-10-22h2-pro",)
    assert dict(identity.attributes) == {
        "vendor": "Microsoft",
        "family": "Windows",
        "product": "Windows 10",
        "version": "10.0.19045",
        "edition": "Pro",
    }


def test_the_channel_moves_the_end_and_the_name_tells_it() -> None:
    general = classify(smb__native_os="Windows 10 Enterprise 17763")
    long_term = classify(smb__native_os="Windows 10 Enterprise LTSC 2019 17763")
    assert general.candidates == ("windows-10-1809-enterprise",)
    assert set(long_term.candidates) == {"windows-10-1809-ltsc", "windows-10-1809-iot"}
    assert (status(general), status(long_term)) == (Status.UNSUPPORTED, Status.SUPPORTED)


def test_base_builds_that_no_windows_reports_are_nobodys() -> None:
    identity = classify(ntlm__version="10.0.19045")
    assert identity.candidates == ()
    assert "no known release answers so" in told(identity)
    assert status(identity) is Status.UNKNOWN


# --- imitation, decoys, contradictions


def test_strings_that_are_imitated_need_a_second_voice() -> None:
    assert classify(XP).certainty is Certainty.PROBABLE
    assert "nothing else confirms it" in told(classify(XP))
    assert classify(ntlm__version="5.1.2600").certainty is Certainty.PROBABLE
    assert classify(XP, XP_LIMITS).certainty is Certainty.CERTAIN
    assert classify(XP, ntlm__version="5.1.2600").certainty is Certainty.CERTAIN


def test_the_two_strings_of_one_answer_are_one_voice() -> None:
    responder = classify(
        smb__native_os="Windows Server 2003 3790 Service Pack 2", smb__native_lm="Windows Server 2003 5.2"
    )
    assert responder.certainty is Certainty.PROBABLE


def test_limits_that_do_not_fit_keep_imitated_words_doubtful() -> None:
    for odd in ({"smb.max_buffer": "16644"}, {"smb.capabilities": "0x8001e3fd"}):
        identity = classify(XP, XP_LIMITS, odd, ntlm__version="5.1.2600")
        assert identity.certainty is Certainty.PROBABLE
        assert "it does not fit the rest" in told(identity)
        assert products(identity) == {"Windows XP"}


@pytest.mark.parametrize("decoy", [{"smb.max_mpx": "1"}, {"smb.max_buffer": "4096"}])
def test_a_decoy_contradicts(decoy: dict[str, str]) -> None:
    identity = classify(XP, XP_LIMITS, decoy, ntlm__version="5.1.2600")
    assert identity.certainty is Certainty.PROBABLE
    assert "other-decoy" in identity.candidates
    assert "windows-xp-sp3" in identity.candidates
    assert status(identity) is Status.DEPENDS
    assert "contradicts itself" in told(identity)


def test_macos_says_6_1_7600() -> None:
    mac = classify(ntlm__version="6.1.7600", smb__dialect="3.0.2")
    assert products(mac) == {"macOS"}
    seven = classify(
        ntlm__version="6.1.7600",
        smb__native_os="Windows 7 Ultimate 7600",
        smb__native_lm="Windows 7 Ultimate 6.1",
    )
    assert seven.candidates == ("windows-7-rtm",)
    either = classify(ntlm__version="6.1.7600")
    assert {"macOS", "Windows 7", "Windows Server 2008 R2"} <= products(either)
    assert either.certainty is Certainty.PROBABLE


@pytest.mark.parametrize("version", ["6.1.7601", "10.0.22631", "10.0.20348"])
def test_versions_of_other_peoples_libraries_are_not_certain_alone(version: str) -> None:
    assert classify(ntlm__version=version).certainty is Certainty.PROBABLE


def test_a_contradiction_keeps_both_sides_and_is_never_averaged() -> None:
    identity = classify({"ntlm.version": ("6.1.7601", "10.0.26100")})
    seven, eleven = classify(ntlm__version="6.1.7601"), classify(ntlm__version="10.0.26100")
    assert set(identity.candidates) == {*seven.candidates, *eleven.candidates, "other-anything"}
    assert identity.certainty is Certainty.PROBABLE
    assert status(identity) is Status.DEPENDS


def test_nothing_supported_comes_out_of_a_contradiction() -> None:
    identity = classify({"ntlm.version": ("10.0.20348", "10.0.28000")})
    assert status(identity) is Status.DEPENDS
    assert {status(classify(ntlm__version=one)) for one in ("10.0.20348", "10.0.28000")} == {Status.SUPPORTED}


def test_a_dialect_is_a_floor_and_no_ceiling() -> None:
    lowered = classify(ntlm__version="10.0.17763", smb__dialect="2.1")
    assert lowered.candidates == classify(ntlm__version="10.0.17763").candidates
    impossible = classify(ntlm__version="6.1.7601", smb__dialect="3.1.1")
    assert impossible.certainty is Certainty.PROBABLE
    assert "other-anything" in impossible.candidates
    alone = classify(smb__dialect="2.1")
    assert alone.certainty is Certainty.HINT
    assert {"windows-7-sp1", "windows-server-2025"} <= set(alone.candidates)
    assert {"windows-xp-sp3", "windows-vista-sp2"}.isdisjoint(alone.candidates)


def test_signing_contexts_are_from_11_and_server_2022_on() -> None:
    identity = classify({"smb2.contexts": ("preauth", "signing"), "smb.dialect": "3.1.1"})
    assert "windows-10-22h2-pro" not in identity.candidates
    assert {"windows-11-21h2-pro", "windows-server-2022"} <= set(identity.candidates)


# --- Samba and devices


@pytest.mark.parametrize(
    "words",
    ["Samba 4.9.5", "Samba 4.9.5-Debian", "Samba 3.6.9-151.el6_4.1", "Samba 4.3.9-Ubuntu", "Samba 3.0.20b"],
)
def test_an_old_samba_is_a_question(words: str) -> None:
    identity = classify(smb__native_lm=words, smb__native_os="Windows 6.1")
    assert "samba-packaged" in identity.candidates
    assert len(identity.candidates) == 2
    assert status(identity) is Status.DEPENDS


def test_a_samba_of_tomorrow_is_unknown() -> None:
    assert status(classify(smb__native_lm="Samba 4.99.1")) is Status.UNKNOWN


def test_a_nas_is_named() -> None:
    identity = classify(smb__native_os="QTS", smb__native_lm="Samba 4.4.16", ntlm__version="6.1.0")
    named = {key: identity.attributes[key] for key in ("vendor", "product", "device", "family", "version")}
    assert named == {
        "vendor": "QNAP", "product": "QTS", "device": "NAS", "family": "Linux", "version": "4.4.16",
    }  # fmt: skip
    assert status(identity) is Status.DEPENDS


@pytest.mark.parametrize(
    ("key", "words", "product", "verdict"),
    [
        ("smb.native_lm", "Windows 2000 Lan Manager", "ONTAP", Status.DEPENDS),
        ("smb.native_os", "VxWorks", "VxWorks", Status.UNKNOWN),
        ("smb.native_lm", "MikrotikSMB", "RouterOS", Status.UNKNOWN),
        ("smb.native_os", "OS/400 V4R5M0", "OS/400", Status.UNKNOWN),
    ],
)
def test_other_file_servers_are_no_windows(key: str, words: str, product: str, verdict: Status) -> None:
    identity = classify({key: words})
    assert identity.attributes["product"] == product
    assert status(identity) is verdict


# --- what nobody knows


def test_evidence_of_other_protocols_is_named_as_unused() -> None:
    identity = classify(XP, chargen__text=' !"#')
    assert identity.candidates == classify(XP).candidates
    assert "no fingerprint uses: chargen.text" in told(identity)


def test_nothing_heard_is_unknown() -> None:
    identity = classify()
    assert (identity.candidates, identity.certainty) == ((), Certainty.HINT)
    assert status(identity) is Status.UNKNOWN
    assert identity.reasons


# --- properties

KEYS = sorted(load_fingerprints().by_key)
SAID = {
    key: [value for one in load_fingerprints().by_key[key] for value, _ in one.examples]
    + [value for one in load_fingerprints().by_key[key] for value in one.refuses]
    for key in KEYS
}
ANYTHING = st.fixed_dictionaries(
    {},
    optional={
        key: st.lists(st.sampled_from(SAID[key]) | st.text(max_size=20), max_size=4).map(tuple)
        for key in KEYS
    },
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, st.dictionaries(st.sampled_from(["netbios.name", "smb.boot_time", "x.y"]), st.just(("z",))))
def test_any_evidence_is_classified_and_what_is_remembered_is_what_is_fresh(
    heard: dict[str, tuple[str, ...]], more: dict[str, tuple[str, ...]]
) -> None:
    said = {**heard, **more}
    FORGETFUL._identities.clear()
    fresh = FORGETFUL.classify(said)
    assert CLASSIFIER.classify(said) == fresh
    assert CLASSIFIER.classify(dict(reversed(said.items()))) is CLASSIFIER.classify(said)
    assert set(fresh.candidates) <= set(RELEASES)
    assert list(fresh.candidates) == sorted(fresh.candidates)
    assert all(reason.render("en") for reason in fresh.reasons)
    steps = CLASSIFIER.proof(said)
    assert {(step.key, step.value) for step in steps} == {
        (k, v) for k, values in said.items() for v in values
    }
    hash(fresh.reasons)


@settings(max_examples=200, deadline=None)
@given(ANYTHING, ANYTHING)
def test_hints_never_narrow_and_never_add(
    one: dict[str, tuple[str, ...]], other: dict[str, tuple[str, ...]]
) -> None:
    """What only suggests changes no candidate of a host that said what it is."""
    only_suggests = {
        "smb.capabilities": other.get("smb.capabilities", ()),
        "ntlm.challenge": ("unversioned",),
    }
    said = {key: values for key, values in one.items() if key not in only_suggests}
    before = CLASSIFIER.classify(said)
    if before.candidates and before.certainty is not Certainty.HINT:
        assert CLASSIFIER.classify({**said, **only_suggests}).candidates == before.candidates


@given(st.sets(st.integers(1, 255), min_size=1, max_size=9))
def test_sides_hold_every_claim_and_are_consistent(claims: set[int]) -> None:
    sides = consistent_sides(claims, 255)
    assert all(sides)
    assert all(any(side & claim == side for side in sides) for claim in claims)
    common = 255
    for claim in claims:
        common &= claim
    assert not common or sides == (common,)


def test_contradictions_without_end_stay_affordable() -> None:
    """2 to the power of 60 subsets, 60 sides."""
    assert len(consistent_sides((1 << shift for shift in range(60)), -1)) == 60


def test_evidence_that_differs_in_what_nobody_looks_at_gives_the_same_object() -> None:
    one = classify(XP, smb__server_guid="a", smb__boot_time="2026-11-20T08:00:00Z", netbios__name="A")
    other = classify(XP, smb__server_guid="b", ntlm__netbios_name="C", netbios__name="B")
    assert one is other
    assert "A" not in told(one).split()


def test_memory_is_bounded() -> None:
    classifier = Classifier(load_fingerprints(), LIFECYCLE)
    first = {"smb.native_os": ("Windows 5.1",), "smb.native_lm": ("number 0",)}
    fresh = classifier.classify(first)
    for number in range(9000):
        classifier.classify({"smb.native_lm": (f"number {number}",)})
    assert len(classifier._identities) <= 8192
    assert classifier.classify(first) == fresh


def test_a_claim_that_no_release_fits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.key.toml").write_text(
        'evidence = "a.key"\n[[fingerprint]]\nname = "One"\npattern = "one"\n'
        'asserts = { product = "Windows XQ" }\nexamples = [{ value = "one" }]\n',
        encoding="utf-8",
    )
    fingerprints = read_fingerprints(tmp_path)
    with pytest.raises(DataError, match=r'a\.key\.toml: One: no release fits what is said of "one"'):
        Classifier(fingerprints, LIFECYCLE)


# --- the system below the words

LINUX_ANSWERS = "ttl=64 win=5792/4 opts=mss,sok,ts,nop,ws7 df=1"
LINUX_OPENS = "ttl=64 win=29200/20 opts=mss,sok,ts,nop,ws7 df=1"
XP_OPENS = "ttl=128 win=65535 opts=mss,nop,nop,sok df=1"
TEN_OPENS = "ttl=128 win=64240/44 opts=mss,nop,ws8,nop,nop,sok df=1"


@pytest.mark.parametrize(
    "form", [{"tcp.synack": LINUX_ANSWERS}, {"tcp.syn": LINUX_OPENS}, {"tcp.syn": TEN_OPENS}]
)
def test_words_that_the_system_below_contradicts_are_never_certain(form: dict[str, str]) -> None:
    sure = classify(XP, XP_LIMITS, ntlm__version="5.1.2600")
    doubted = classify(XP, XP_LIMITS, form, ntlm__version="5.1.2600")
    assert (sure.certainty, doubted.certainty) == (Certainty.CERTAIN, Certainty.PROBABLE)
    assert set(sure.candidates) < set(doubted.candidates), "all of these words are imitated"
    assert "it does not fit the rest" in told(doubted)
    assert "how another system opens or accepts connections" in told(doubted)


def test_the_form_of_the_system_itself_confirms_and_never_names_a_release() -> None:
    agreed = classify(XP, XP_LIMITS, tcp__syn=XP_OPENS, ntlm__version="5.1.2600")
    assert agreed.certainty is Certainty.CERTAIN
    alone = classify(tcp__syn=XP_OPENS)
    assert alone.certainty is Certainty.HINT
    assert len(products(alone)) > 3


def test_several_systems_that_open_connections_from_one_address_are_several() -> None:
    behind = classify(XP, XP_LIMITS, {"tcp.syn": (XP_OPENS, LINUX_OPENS)}, ntlm__version="5.1.2600")
    assert behind.certainty is Certainty.PROBABLE


def test_machines_of_several_names_are_several() -> None:
    one = classify(XP, XP_LIMITS, {"ntlm.netbios_name": ("POSTE-1", "poste-1")}, ntlm__version="5.1.2600")
    assert one.certainty is Certainty.CERTAIN
    two = classify(XP, XP_LIMITS, {"ntlm.netbios_name": ("POSTE-1", "POSTE-2")}, ntlm__version="5.1.2600")
    assert two.certainty is Certainty.PROBABLE
    assert "several machines seem to stand behind this address" in told(two)
    assert classify(XP, XP_LIMITS, ntlm__version="5.1.2600").certainty is Certainty.CERTAIN
