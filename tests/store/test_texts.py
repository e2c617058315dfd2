"""A text has one number, whoever asks and whenever; people are known by their hash."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, func, select

from vdx.claims import Claims
from vdx.settings import Settings
from vdx.store import texts
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import identity, term
from vdx.store.identities import Pseudonyms
from vdx.store.texts import NOBODY, Identities, Terms

MARCH = date(2026, 3, 17)
KEYS = Pseudonyms(b"key")


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True, loads=True)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


def people(claims: Claims | None = None, *, names: bool = False) -> Identities:
    known = claims or Claims()
    return Identities(lambda text: known.describe(text, KEYS.of), names=names)


def test_a_text_keeps_its_number_for_all_who_ask(writing: Connection) -> None:
    with writing.begin():
        first = dict(Terms().learn(writing, "codec", ["opus", "H264", ""]))
    with writing.begin():
        other = Terms()
        again = dict(other.learn(writing, "codec", ["VP8", "opus"]))
        device = dict(other.learn(writing, "device", ["opus"]))
    assert again["opus"] == first["opus"]
    assert len({first["opus"], first["H264"], again["VP8"]}) == 3
    assert first[""] == 0
    assert device["opus"] == 1  # each kind counts by itself


def test_what_is_beyond_the_number_kept_is_no_text(
    writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(texts.LIMITS, "codec", 2)
    terms = Terms()
    with writing.begin():
        found = terms.learn(writing, "codec", ["a", "b", "c", "d"])
        assert [found[name] for name in "abcd"] == [1, 2, 0, 0]
        assert terms.learn(writing, "codec", ["e", "a"])["e"] == 0
        assert writing.scalar(select(func.count()).select_from(term)) == 2


def test_more_texts_than_are_remembered_keep_their_numbers(
    writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "_REMEMBERED", 5)
    terms, identities = Terms(), people()
    names = [f"10.0.{number}.0/24" for number in range(30)]
    with writing.begin():
        for start in range(0, 30, 4):
            some = names[start : start + 4] + names[:2]
            found = terms.learn(writing, "network", some)
            known = identities.learn(writing, terms, some, MARCH)
            assert all(found[name] and known[name].id for name in some)
        assert writing.scalar(select(func.count()).where(term.c.kind == "network")) == 30
        assert writing.scalar(select(func.count()).select_from(identity)) == 30


def test_long_texts_are_cut_to_the_column(writing: Connection) -> None:
    terms = Terms()
    with writing.begin():
        found = terms.learn(writing, "reason", ["x" * 900, "x" * 250])
        assert found["x" * 900] == found["x" * 250] == 1


def test_numbers_of_a_transaction_that_failed_are_forgotten(writing: Connection) -> None:
    terms, identities = Terms(), people()
    transaction = writing.begin()
    terms.learn(writing, "codec", ["opus"])
    identities.learn(writing, terms, ["anna@x.example"], MARCH)
    transaction.rollback()
    terms.forget()
    identities.forget()
    with writing.begin():
        Terms().learn(writing, "codec", ["H264"])
        assert terms.learn(writing, "codec", ["opus"])["opus"] == 2
        assert identities.learn(writing, terms, ["anna@x.example"], MARCH)["anna@x.example"].id == 1


def test_two_spellings_of_an_alias_are_one_identity(writing: Connection) -> None:
    with writing.begin():
        found = people().learn(
            writing, Terms(), ["sip:Anna@X.example", "anna@x.example", "bo@x.example", ""], MARCH
        )
        assert found["sip:Anna@X.example"].id == found["anna@x.example"].id != found["bo@x.example"].id
        assert found[""] == NOBODY
        assert writing.scalar(select(func.count()).select_from(identity)) == 2


def test_thousands_of_people_at_once_are_each_one(writing: Connection) -> None:
    names = [f"person{number}@x.example" for number in range(2000)]
    terms = Terms()
    with writing.begin():
        first = {name: known.id for name, known in people().learn(writing, terms, names, MARCH).items()}
    with writing.begin():
        again = people().learn(writing, terms, names[::-1], MARCH)
        assert {name: known.id for name, known in again.items()} == first
    assert len(set(first.values())) == 2001


def test_names_are_stored_only_when_they_may_be_and_then_filled_in(writing: Connection) -> None:
    terms = Terms()
    with writing.begin():
        people().learn(writing, terms, ["anna@x.example"], MARCH)
        assert writing.scalar(select(identity.c.name)) is None
        people(names=True).learn(writing, terms, ["anna@x.example"], MARCH)
        assert writing.scalar(select(identity.c.name)) == "anna@x.example"
        people().learn(writing, terms, ["anna@x.example"], date(2026, 5, 1))
        assert writing.scalar(select(identity.c.name)) == "anna@x.example"


def test_when_somebody_was_seen_moves_by_the_month_and_not_back(writing: Connection) -> None:
    terms, identities = Terms(), people()
    with writing.begin():
        for day, month in ((MARCH, 3), (date(2026, 3, 31), 3), (date(2026, 6, 2), 6), (date(2026, 4, 1), 6)):
            identities.learn(writing, terms, ["anna@x.example"], day)
            assert writing.scalar(select(identity.c.seen)) == date(2026, month, 1)


def test_the_pattern_that_matched_is_renewed_when_claims_change(writing: Connection) -> None:
    terms = Terms()
    for pattern in ("", "an*@x.example", "anna*@x.example"):
        claims = Claims([("pattern", pattern, 1)] if pattern else [])
        with writing.begin():
            people(claims).learn(writing, terms, ["anna.a@x.example"], MARCH)
            number = writing.scalar(select(identity.c.pattern_id))
            named = writing.scalar(select(term.c.name).where(term.c.kind == "pattern", term.c.id == number))
            assert (named or "") == pattern
