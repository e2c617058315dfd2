"""Whose a call is, the tree over time, and a source with faults."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.claims import Alias, Claims, Decision, Rule, domain_of, normalised
from vdx.organisations import NOBODYS, FaultKind, Source, examine, license_ports
from vdx.pexip.records import Participant
from vdx.tree import (
    EARLIEST,
    Organisation,
    OrganisationError,
    Place,
    Tree,
    changed_since,
    ended,
    placed,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def pseudonym(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


def claims(*rows: tuple[str, str, int]) -> Claims:
    """Claims by their text, as the source has them."""
    return Claims(
        (kind, pseudonym(normalised(value)).hex() if kind in ("alias", "room") else value, owner)
        for kind, value, owner in rows
    )


def described(claimed: Claims, text: str) -> Alias:
    return claimed.describe(text, pseudonym)


def decide(claimed: Claims, tag: str = "", *aliases: str, room: str = "") -> Decision:
    return claimed.decide(
        tag, [described(claimed, text) for text in aliases], described(claimed, room) if room else None
    )


@pytest.mark.parametrize(
    ("alias", "expected", "domain"),
    [
        ("SIP:Room@Example.DK:5061;transport=tls", "room@example.dk", "example.dk"),
        ("sips:room@example.dk", "room@example.dk", "example.dk"),
        ("h323://room@10.0.0.1:1720", "room@10.0.0.1", "10.0.0.1"),
        ("mailto: Jens@Example.dk ", "jens@example.dk", "example.dk"),
        ("tel:+4512345678;ext=9", "+4512345678", ""),
        ("10.0.0.1:1720", "10.0.0.1", ""),
        ("room@[2001:db8::1]:5060", "room@[2001:db8::1]", "[2001:db8::1]"),
        ("2001:db8::1", "2001:db8::1", ""),
        ("room@example.dk.", "room@example.dk.", "example.dk"),
        ("Møde 3; Aarhus: 12", "møde 3; aarhus: 12", ""),
        ("Møde @ Aarhus", "møde @ aarhus", ""),
        ("  ", "", ""),
        ("sip:", "", ""),
    ],
)
def test_an_alias_is_compared_in_one_form(alias: str, expected: str, domain: str) -> None:
    assert (normalised(alias), domain_of(alias)) == (expected, domain)


@given(st.text(alphabet="aB1@.:;=[] sip:/\u0130\t", max_size=24))
def test_the_one_form_stays_as_it_is(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert domain_of(once) == domain_of(text)


def test_the_rules_decide_in_their_order() -> None:
    claimed = claims(
        ("tag", "Region-Nord", 1),
        ("alias", "sip:600001@vdx.example", 2),
        ("domain", "aarhus.dk", 3),
        ("pattern", "6*@vdx.example", 4),
        ("room", "Auditorium Nord", 5),
    )
    room, alias, pattern, domain = (
        "auditorium  nord".replace("  ", " "),
        "600001@VDX.example",
        "612@vdx.example",
        "x@a.aarhus.dk",
    )
    assert decide(claimed, " region-nord ", alias, domain, room=room) == (1, Rule.TAG)
    assert decide(claimed, "other", domain, alias, room=room) == (2, Rule.ALIAS)
    assert decide(claimed, "", domain, room=room) == (3, Rule.DOMAIN)
    assert decide(claimed, "", pattern, room=room) == (4, Rule.PATTERN)
    assert decide(claimed, "", "x@example.org", room=room) == (5, Rule.ROOM)
    assert decide(claimed, "", "x@example.org") == (0, Rule.UNASSIGNED)
    assert decide(Claims(), "region-nord", alias, room=room) == (0, Rule.UNASSIGNED)


def test_the_own_alias_counts_before_the_dialled_one() -> None:
    claimed = claims(("alias", "a@x.dk", 1), ("alias", "b@x.dk", 2))
    assert decide(claimed, "", "a@x.dk", "b@x.dk").organisation_id == 1
    assert decide(claimed, "", "b@x.dk", "a@x.dk").organisation_id == 2


def test_the_longest_domain_or_pattern_of_any_alias_decides() -> None:
    claimed = claims(
        ("domain", "dk", 1),
        ("domain", "region.dk", 2),
        ("domain", "syd.region.dk", 3),
        ("pattern", "*@*.region.dk", 4),
        ("pattern", "7*@nord.region.dk", 5),
    )
    assert decide(claimed, "", "x@elsewhere.dk") == (1, Rule.DOMAIN)
    assert decide(claimed, "", "x@region.dk") == (2, Rule.DOMAIN)
    assert decide(claimed, "", "x@regionen.dk") == (1, Rule.DOMAIN), "a domain is matched by whole labels"
    assert decide(claimed, "", "x@øst.region.dk") == (4, Rule.PATTERN)
    assert decide(claimed, "", "x@syd.region.dk") == (3, Rule.DOMAIN)
    assert decide(claimed, "", "x@region.dk", "7@nord.region.dk") == (5, Rule.PATTERN)


def test_a_tie_goes_to_the_domain_and_then_to_the_first_by_the_alphabet() -> None:
    claimed = claims(("domain", "abcd.dk", 1), ("pattern", "?@abc.dk*", 2), ("pattern", "*@abc.dk", 3))
    assert decide(claimed, "", "x@abcd.dk", "1@abc.dk").organisation_id == 1
    assert claimed.best_pattern("1@abc.dk") == "*@abc.dk"


def test_the_room_is_also_looked_for_among_the_aliases() -> None:
    claimed = claims(("room", "600123@vdx.example", 7), ("room", "MDT Lunge", 8))
    assert decide(claimed, "", "x@y.z", "600123@vdx.example") == (7, Rule.ROOM)
    assert decide(claimed, "", "x@y.z", "600123@vdx.example", room="mdt lunge") == (8, Rule.ROOM)


def test_only_the_recorded_pattern_counts_and_only_while_it_is_claimed() -> None:
    stored = Alias(b"\1" * 16, "vdx.example", "6*@vdx.example")
    assert claims(("pattern", "6*@vdx.example", 4)).decide("", [stored], None) == (4, Rule.PATTERN)
    assert claims(("pattern", "*@vdx.example", 4)).decide("", [stored], None) == (0, Rule.UNASSIGNED)


DOMAINS = ("a.dk", "b.a.dk", "c.b.a.dk", "aa.dk", "dk")
PATTERNS = ("1*@a.dk", "*@*.a.dk", "?2@*", "*", "12@?.a.dk", "*@aa.dk", "[12]*@b.a.dk")
ALIASES = st.builds(
    "{}@{}".format, st.sampled_from(("1", "12", "2", "x")), st.sampled_from((*DOMAINS, "no.de"))
)
CLAIMS = st.dictionaries(
    st.one_of(
        st.tuples(st.just("tag"), st.sampled_from(("t", "u"))),
        st.tuples(st.just("alias"), ALIASES),
        st.tuples(st.just("domain"), st.sampled_from(DOMAINS)),
        st.tuples(st.just("pattern"), st.sampled_from(PATTERNS)),
        st.tuples(st.just("room"), st.one_of(ALIASES, st.just("room"))),
    ),
    st.integers(1, 4),
    max_size=12,
)


def naive(rows: dict[tuple[str, str], int], tag: str, aliases: list[str], room: str) -> tuple[int, int]:
    """The rules in plain words, over the texts."""
    if ("tag", tag) in rows:
        return rows["tag", tag], Rule.TAG
    for alias in aliases:
        if ("alias", alias) in rows:
            return rows["alias", alias], Rule.ALIAS
    found = []
    for (kind, value), owner in rows.items():
        for alias in aliases:
            if kind == "domain" and ("." + alias.split("@")[1]).endswith("." + value):
                found.append((-len(value), 0, value, owner, Rule.DOMAIN))
            if kind == "pattern" and fnmatchcase(alias, value):
                length = len(value.replace("[12]", "").replace("*", "").replace("?", ""))
                found.append((-length, 1, value, owner, Rule.PATTERN))
    if found:
        return min(found)[3:]
    for alias in (room, *aliases):
        if ("room", alias) in rows:
            return rows["room", alias], Rule.ROOM
    return 0, Rule.UNASSIGNED


@given(
    CLAIMS,
    st.sampled_from(("", "t", "u", "v")),
    st.lists(ALIASES, max_size=2),
    st.sampled_from(("", "room", "1@a.dk")),
)
def test_a_decision_is_that_of_the_rules_in_plain_words(
    rows: dict[tuple[str, str], int], tag: str, aliases: list[str], room: str
) -> None:
    claimed = claims(*((kind, value, owner) for (kind, value), owner in rows.items()))
    for _ in range(2):
        assert decide(claimed, tag, *aliases, room=room) == naive(rows, tag, aliases, room)


def organisations(*names: str) -> list[Organisation]:
    return [Organisation(number, f"key-{name}", name, "unit") for number, name in enumerate(names, 1)]


def test_a_unit_that_moved_keeps_its_past() -> None:
    tree = Tree(
        organisations("Region", "Old", "New", "Unit"),
        [
            Place(2, 1, NOW),
            Place(3, 1, NOW),
            Place(1, None, NOW),
            Place(4, 2, NOW, NOW + 10 * DAY),
            Place(4, 3, NOW + 10 * DAY),
        ],
    )
    assert tree.ancestors(4, NOW + 10 * DAY - timedelta(seconds=1)) == (4, 2, 1)
    assert tree.ancestors(4, NOW + 10 * DAY) == (4, 3, 1)
    assert tree.children(2, NOW) == (4,)
    assert tree.children(2, NOW + 10 * DAY) == ()
    assert tree.children(None, NOW) == (1,)
    assert tree.subtree(1, NOW + 10 * DAY) == (1, 3, 4, 2)
    assert tree.top(4, NOW) == 1


def test_before_the_first_place_the_first_one_holds_and_after_the_last_none() -> None:
    tree = Tree(organisations("Region", "Unit"), [Place(1, None, NOW), Place(2, 1, NOW, NOW + DAY)])
    assert tree.ancestors(2, NOW - 3000 * DAY) == (2, 1)
    assert tree.children(1, NOW - DAY) == (2,)
    assert tree.ancestors(2, NOW + DAY) == (2,)
    assert tree.children(1, NOW + DAY) == ()
    assert tree.vanished(NOW, NOW + 2 * DAY) == (2,)
    assert tree.vanished(NOW + DAY, NOW + 2 * DAY) == ()


def test_who_is_unknown_stands_alone() -> None:
    tree = Tree()
    assert tree.ancestors(7, NOW) == tree.subtree(7, NOW) == (7,)
    assert tree.top(0, NOW) == 0
    assert tree.children(None, NOW) == ()
    assert tree.places(7) == ()


@given(st.lists(st.tuples(st.integers(1, 6), st.none() | st.integers(1, 6), st.integers(0, 9)), max_size=20))
def test_no_places_make_the_tree_loop(rows: list[tuple[int, int | None, int]]) -> None:
    places = [Place(number, parent, NOW + day * DAY) for number, parent, day in rows]
    tree = Tree(organisations(*"abcdef"), places)
    for day in range(-1, 11):
        at = NOW + day * DAY
        for number in range(8):
            for chain in (tree.ancestors(number, at), tree.subtree(number, at)):
                assert chain[0] == number
                assert len(chain) == len(set(chain)) <= 7
            assert tree.top(number, at) == tree.ancestors(number, at)[-1]
            for child in tree.children(number, at):
                assert tree.parent(child, at) == number


def test_an_organisation_is_found_by_key_and_by_name() -> None:
    tree = Tree(
        [
            *organisations("Aarhus", "Odense"),
            Organisation(9, "x", "odense", ""),
            Organisation(10, "Aarhus", "B", ""),
        ]
    )
    assert tree.find("key-Aarhus").id == 1
    assert tree.find(" Aarhus ").id == 10, "a key counts before a name"
    assert tree.find("aarhus").id == 1
    with pytest.raises(OrganisationError, match=r"2 organisations .* key: key-Odense, x$"):
        tree.find("ODENSE")
    with pytest.raises(OrganisationError, match="'Odens'; did you mean one of: "):
        tree.find("Odens")
    with pytest.raises(OrganisationError, match="'zzz'; vdx organisations show lists all"):
        tree.find("zzz")


OLD = (Place(1, 5, NOW),)


@pytest.mark.parametrize(
    ("places", "parent", "since", "expected"),
    [
        ((), 5, NOW, (Place(1, 5, NOW),)),
        (OLD, 5, NOW + DAY, OLD),
        (OLD, 6, NOW + DAY, (Place(1, 5, NOW, NOW + DAY), Place(1, 6, NOW + DAY))),
        (OLD, 6, NOW, (Place(1, 6, NOW),)),
        (OLD, 6, NOW - DAY, (Place(1, 6, NOW - DAY),)),
        ((Place(1, 5, NOW, NOW + DAY),), 5, NOW + DAY, OLD),
        (
            (Place(1, 5, NOW, NOW + DAY),),
            5,
            NOW + 2 * DAY,
            (Place(1, 5, NOW, NOW + DAY), Place(1, 5, NOW + 2 * DAY)),
        ),
        ((Place(1, 5, NOW, NOW + DAY), Place(1, 6, NOW + DAY)), 5, NOW + DAY, OLD),
    ],
)
def test_a_place_begins_when_it_is_said_to(
    places: tuple[Place, ...], parent: int, since: datetime, expected: tuple[Place, ...]
) -> None:
    found = placed(places, 1, parent, since)
    assert found == expected
    assert placed(found, 1, parent, since) == found


def test_who_vanishes_has_its_last_place_ended() -> None:
    assert ended(OLD, NOW + DAY) == (Place(1, 5, NOW, NOW + DAY),)
    assert ended(ended(OLD, NOW + DAY), NOW + 2 * DAY) == ended(OLD, NOW + DAY)
    assert ended(OLD, NOW) == ()


def test_from_when_on_a_parent_is_another_one() -> None:
    moved = placed(OLD, 1, 6, NOW + DAY)
    assert changed_since(OLD, moved) == NOW + DAY
    assert changed_since(OLD, placed(OLD, 1, 6, NOW)) == EARLIEST
    assert changed_since(OLD, placed(OLD, 1, 5, NOW - DAY)) is None
    assert changed_since((), OLD) is None
    assert changed_since(OLD, OLD) is None


def kinds(source: Source) -> Counter[FaultKind]:
    return Counter(fault.kind for fault in examine(source).faults)


def test_a_good_source_has_no_fault() -> None:
    examined = examine(
        Source(
            [("r", None, "Region", "region"), (7, "r", b"Unit", None, "2026-03-29")],
            [
                ("tag", " Nord ", "r"),
                ("TAG", "NORD", "r"),
                ("domain", "@Nord.DK", 7),
                ("domain", "6*@x.dk", "r"),
                ("pattern", "plain@x.dk", "r"),
                ("room", "Room A", "r"),
            ],
        )
    )
    assert not examined.faults
    unit = examined.organisations[1]
    assert (unit.key, unit.parent, unit.name, unit.kind) == ("7", "r", "Unit", "")
    assert unit.valid_from == datetime(2026, 3, 28, 23, tzinfo=UTC), "a day begins at midnight in Denmark"
    assert [tuple(claim) for claim in examined.claims] == [
        ("tag", "nord", "r"),
        ("domain", "nord.dk", "7"),
        ("pattern", "6*@x.dk", "r"),
        ("alias", "plain@x.dk", "r"),
        ("room", "room a", "r"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 7, 1), datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (datetime(2026, 7, 1, 12, 0, 0, 5), datetime(2026, 7, 1, 10, tzinfo=UTC)),  # noqa: DTZ001
        ("2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("1899-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        (" ", None),
        (None, None),
    ],
)
def test_since_when_it_stands_there(value: Any, expected: datetime | None) -> None:
    examined = examine(Source([("a", "", "A", "", value)]))
    assert [one.valid_from for one in examined.organisations] == [expected]
    assert not examined.faults


@pytest.mark.parametrize("value", ["soon", "0000-00-00", "0001-01-01", 20260701, 7.5, True, ["2026"]])
def test_a_date_that_is_none_is_left_out(value: Any) -> None:
    source = Source([("a", "", "A", "", value)])
    assert kinds(source) == {FaultKind.UNREADABLE_DATE: 1}
    assert examine(source).organisations[0].valid_from is None


@pytest.mark.parametrize("row", [(), (None,), ("", "", "A"), ("a" * 101, "", "A"), ("a", ""), ("a",)])
def test_a_malformed_organisation_is_left_out(row: tuple[Any, ...]) -> None:
    source = Source([row, ("b", "", "B")])
    assert kinds(source) == {FaultKind.MALFORMED_ROW: 1}
    assert [one.key for one in examine(source).organisations] == ["b"]


@pytest.mark.parametrize(
    "row",
    [
        (),
        ("tag",),
        ("tag", "", "a"),
        ("tag", "x", ""),
        ("colour", "x", "a"),
        ("domain", "jens@x.dk", "a"),
        ("domain", "two words", "a"),
        ("domain", "@", "a"),
        ("alias", "sip:", "a"),
        ("tag", "x" * 251, "a"),
    ],
)
def test_a_malformed_claim_is_left_out(row: tuple[Any, ...]) -> None:
    source = Source([("a", "", "A")], [row, ("tag", "good", "a")])
    assert kinds(source) == {FaultKind.MALFORMED_ROW: 1}
    examined = examine(source)
    assert [claim.value for claim in examined.claims] == ["good"]
    assert "jens" not in examined.faults[0].words


def test_of_two_with_one_key_the_first_counts() -> None:
    source = Source([("a", "", "First"), ("a", "", "Second")])
    assert kinds(source) == {FaultKind.DUPLICATE_KEY: 1}
    assert [one.name for one in examine(source).organisations] == ["First"]


def test_without_a_name_the_key_is_shown() -> None:
    source = Source([("a", "", " ")])
    assert kinds(source) == {FaultKind.EMPTY_NAME: 1}
    assert examine(source).organisations[0].name == "a"


def test_whose_parent_is_unknown_stands_at_the_top() -> None:
    source = Source([("a", "gone", "A"), ("b", "a", "B")])
    assert kinds(source) == {FaultKind.UNKNOWN_PARENT: 1}
    assert [one.parent for one in examine(source).organisations] == [None, "a"]


def test_of_a_cycle_the_smallest_key_stands_at_the_top() -> None:
    rows = [("c", "b", "C"), ("b", "a", "B"), ("a", "c", "A"), ("d", "c", "D"), ("e", "e", "E")]
    for turned in (rows, rows[::-1], rows[2:] + rows[:2]):
        examined = examine(Source(turned))
        assert Counter(fault.kind for fault in examined.faults) == {FaultKind.CYCLE: 2}
        assert {one.key: one.parent for one in examined.organisations} == {
            "a": None,
            "b": "a",
            "c": "b",
            "d": "c",
            "e": None,
        }


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["", *"abcdefghz"])), max_size=12))
def test_whatever_the_parents_an_examined_source_is_a_tree(pairs: list[tuple[str, str]]) -> None:
    examined = examine(Source([(key, parent, key) for key, parent in pairs]))
    parents = {one.key: one.parent for one in examined.organisations}
    for key in parents:
        steps = 0
        current: str | None = key
        while current is not None:
            current = parents[current]
            steps += 1
            assert steps <= len(parents)


def test_what_two_claim_nobody_has() -> None:
    source = Source(
        [("a", "", "A"), ("b", "a", "B")],
        [
            ("domain", "x.dk", "a"),
            ("domain", "@X.dk", "b"),
            ("alias", "jens@x.dk", "a"),
            ("alias", "sip:jens@x.dk", "b"),
            ("room", "Jens's room", "a"),
            ("room", "jens's room", "b"),
            ("tag", "one", "a"),
        ],
    )
    examined = examine(source)
    assert kinds(source) == {FaultKind.CONTESTED_CLAIM: 3}
    assert [claim.value for claim in examined.claims] == ["one"]
    words = " ".join(fault.words for fault in examined.faults)
    assert "the domain 'x.dk' is claimed by 'a', 'b'" in words
    assert "jens" not in words.lower()


def test_a_claim_of_who_is_not_there_is_left_out() -> None:
    source = Source([("a", "", "A")], [("tag", "x", "gone"), ("alias", "jens@x.dk", "gone")])
    examined = examine(source)
    assert kinds(source) == {FaultKind.UNKNOWN_ORGANISATION: 2}
    assert not examined.claims
    assert "jens" not in " ".join(fault.words for fault in examined.faults)


def test_a_large_source_is_examined_and_walked() -> None:
    rows = [
        (str(number), str(number // 10) if number else "", f"Unit {number}", "unit")
        for number in range(10_000)
    ]
    rows[0] = ("0", "9999", "Unit 0", "unit")
    examined = examine(Source(rows, [("tag", f"tag-{number}", str(number)) for number in range(10_000)]))
    assert [fault.kind for fault in examined.faults] == [FaultKind.CYCLE]
    tree = Tree(
        (Organisation(int(one.key) + 1, one.key, one.name, one.kind) for one in examined.organisations),
        (
            Place(int(one.key) + 1, int(one.parent) + 1 if one.parent else None, NOW)
            for one in examined.organisations
        ),
    )
    assert len(tree.subtree(1, NOW)) == 10_000
    assert tree.top(10_000, NOW) == 1


def leg(number: int, **fields: Any) -> Participant:
    known: dict[str, Any] = {
        "license_count": 1,
        "license_type": "port",
        "service_tag": "",
        "conference": f"room {number}",
    }
    return Participant(id=str(number), **known | fields)


TREE = Tree(
    organisations("Region", "Kommune", "Afdeling"),
    [Place(1, None, NOW), Place(2, None, NOW), Place(3, 1, NOW)],
)


def test_licence_ports_belong_to_the_top_of_the_tree() -> None:
    claimed = claims(
        ("tag", "nord", 3),
        ("alias", "6001@vdx.example", 3),
        ("domain", "kommune.dk", 2),
        ("room", "Gateway rule", 1),
    )
    legs = [
        leg(1, service_tag="NORD"),
        leg(2, service_tag="nord", license_count=2, license_type="Port"),
        leg(3, service_tag="nord", license_type="audio"),
        leg(4, service_tag="nord", license_count=0),
        leg(5, participant_alias="x@kommune.dk"),
        leg(6, source_alias="x@kommune.dk", service_tag="unknown"),
        leg(7, participant_alias="patient@example.org", destination_alias="6001@vdx.example"),
        leg(
            8,
            participant_alias="patient@example.org",
            source_alias="6001@vdx.example",
            destination_alias="patient@example.org",
            call_direction="out",
        ),
        leg(
            9,
            conference="Gateway rule_0f8fad5b-d9cb-469f-a165-70867728950e",
            participant_alias="p@example.org",
        ),
        leg(10, participant_alias="p@example.org"),
        leg(11, conference=""),
    ]
    assert license_ports(legs, claimed, TREE, pseudonym, NOW) == {NOBODYS: 2, "Region": 6, "Kommune": 2}


def test_every_organisation_at_the_top_is_listed_and_hashes_are_asked_for_where_needed_alone() -> None:
    asked = []

    def counting(text: str) -> bytes:
        asked.append(text)
        return pseudonym(text)

    assert license_ports([], claims(), TREE, counting, NOW) == {NOBODYS: 0, "Region": 0, "Kommune": 0}
    assert license_ports([], claims(), Tree(), counting, NOW) == {NOBODYS: 0}
    legs = [leg(number, service_tag="nord", participant_alias="x@y") for number in range(5)]
    assert license_ports(legs, claims(("tag", "nord", 2)), TREE, counting, NOW)["Kommune"] == 5
    assert asked == []
    assert license_ports(legs, claims(), TREE, counting, NOW)[NOBODYS] == 5
    assert Counter(asked)["x@y"] == 1
