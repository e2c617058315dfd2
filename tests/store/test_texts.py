"""A text has one number, whoever asks and whenever; people are known by their hash."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, delete, func, select
from sqlalchemy.dialects import mysql

from tests.databases import MariaDB
from tests.store import worlds
from vdx.claims import Claims
from vdx.settings import Settings
from vdx.store import texts, upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import HISTORY, identity, term
from vdx.store.identities import Pseudonyms
from vdx.store.texts import NOBODY, Identities, Terms

MARCH = date(2026, 3, 17)
KEYS = Pseudonyms(b"key")


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a migrated database of each kind that the tests of this module share."""
    directory = tmp_path_factory.mktemp("texts")
    if request.param == "sqlite":
        found = worlds.settings(None, directory)
        upgrade(found)
        yield found
        return
    mariadb: MariaDB = request.getfixturevalue("mariadb")
    with mariadb.database() as name:
        found = worlds.settings(mariadb.url(name), directory)
        upgrade(found)
        yield found


@pytest.fixture
def writing(prepared: Settings) -> Iterator[Connection]:
    """A connection to a database without a text."""
    engine = open_engine(prepared, writes=True, loads=True)
    with connect(engine) as connection:
        clear(connection)
        yield connection
    engine.dispose()


def clear(connection: Connection) -> None:
    with connection.begin():
        for table in (term, identity):
            connection.execute(delete(table))


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
        found = terms.learn(writing, "reason", ["x" * 900, "x" * 250, "å" * 251])
        assert found["x" * 900] == found["x" * 250] != found["å" * 251]
        assert terms.learn(writing, "reason", ["x" * 250 + "y"])["x" * 250 + "y"] == found["x" * 250]
        again = Terms().learn(writing, "reason", ["å" * 1000, "x" * 300])
        assert (again["å" * 1000], again["x" * 300]) == (found["å" * 251], found["x" * 250])
        assert writing.scalar(select(func.count()).select_from(term)) == 2


def test_long_names_are_people_of_their_own_though_their_names_are_cut(writing: Connection) -> None:
    long = ["å" * 250 + end for end in ("", "a", "b")]
    with writing.begin():
        found = people(names=True).learn(writing, Terms(), long, MARCH)
        assert len({found[name].id for name in long}) == 3
        assert set(writing.scalars(select(identity.c.name))) == {"å" * 250}


def test_letters_are_told_apart_as_they_are_written(writing: Connection) -> None:
    names = [
        "Opus",
        "opus",
        "Å",
        "A\u030a",
        "å",
        "aa",
        "ß",
        "ss",
        "\0",
        "x\0",
        "x",
        "😀",
        " x",
        "x\t",
        "%",
        "_",
    ]
    with writing.begin():
        first = dict(Terms().learn(writing, "codec", names))
        assert Terms().learn(writing, "codec", names[::-1]) == first
    assert sorted(first.values()) == [*range(len(names) + 1)]


def test_the_numbers_kept_fit_the_columns_that_they_are_used_in() -> None:
    kinds = {
        "protocol_id": "protocol",
        "service_type_id": "service_type",
        "license_type_id": "license_type",
        "audio_codec_id": "codec",
        "video_codec_id": "codec",
        "rx_codec_id": "codec",
        "tx_codec_id": "codec",
        "device_id": "device",
        "rx_resolution_id": "resolution",
        "tx_resolution_id": "resolution",
        "disconnect_reason_id": "reason",
        "service_tag_id": "tag",
        "network_id": "network",
    }

    def room(column: Column[int]) -> int:
        kind = str(column.type.compile(dialect=mysql.dialect()))
        return {
            "TINYINT UNSIGNED": 2**8,
            "SMALLINT UNSIGNED": 2**16,
            "MEDIUMINT UNSIGNED": 2**24,
            "INTEGER": 2**31,
        }[kind]

    checked = set()
    for table in HISTORY:
        for column in table.c:
            if column.name in kinds:
                checked.add(column.name)
                assert texts.LIMITS[kinds[column.name]] < room(column), column
    assert checked == kinds.keys()
    (backplane_type,) = (table.c.type_id for table in HISTORY if table.name == "history_backplane")
    (stream_type,) = (table.c.type_id for table in HISTORY if table.name == "history_media_stream")
    assert texts.LIMITS["backplane_type"] < room(backplane_type)
    assert texts.LIMITS["stream_type"] < room(stream_type)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pages=st.lists(
        st.tuples(
            st.lists(st.sampled_from(["", "a", "b", "å" * 251, "å" * 260, "c", "d", "e"])), st.booleans()
        ),
        max_size=8,
    )
)
def test_in_whatever_order_texts_come_and_though_transactions_fail_none_changes_its_number(
    writing: Connection, pages: list[tuple[list[str], bool]]
) -> None:
    clear(writing)
    terms, identities = Terms(), people()
    numbers: dict[str, int] = {"": 0}
    ids: dict[str, int] = {"": 0}
    for names, kept in pages:
        transaction = writing.begin()
        found = terms.learn(writing, "tag", names)
        known = identities.learn(writing, terms, names, MARCH)
        if kept:
            transaction.commit()
            for name in names:
                assert numbers.setdefault(name, found[name]) == found[name]
                assert ids.setdefault(name, known[name].id) == known[name].id
        else:
            transaction.rollback()
            terms.forget()
            identities.forget()
    with writing.begin():
        other = Terms()
        assert {name: other.learn(writing, "tag", numbers)[name] for name in numbers} == numbers
        again = people().learn(writing, other, ids, MARCH)
        assert {name: again[name].id for name in ids} == ids
        # Two long tags are one when they are cut; two long aliases are not.
        assert len(set(numbers.values())) == len({name[:250] for name in numbers})
        assert len(set(ids.values())) == len(ids)


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


def test_a_forgotten_number_is_not_given_to_another_text(writing: Connection) -> None:
    terms, identities = Terms(), people()
    transaction = writing.begin()
    lost = terms.learn(writing, "codec", ["opus"])["opus"]
    identities.learn(writing, terms, ["anna@x.example"], MARCH)
    transaction.rollback()
    terms.forget()
    identities.forget()
    with writing.begin():
        assert terms.learn(writing, "codec", ["H264"])["H264"] == lost  # it was free again
        identities.learn(writing, terms, ["bo@y.example"], MARCH)
    with writing.begin():
        names = dict(writing.execute(select(term.c.id, term.c.name).where(term.c.kind == "codec")).all())
        assert {names[number]: number for number in names} == {"H264": lost}
        domain = writing.scalar(
            select(term.c.name)
            .join(identity, identity.c.domain_id == term.c.id)
            .where(term.c.kind == "domain")
        )
        assert domain == "y.example"


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


def test_a_name_is_filled_in_for_those_alone_who_are_seen_again(writing: Connection) -> None:
    terms = Terms()
    with writing.begin():
        people().learn(writing, terms, ["anna@x.example", "bo@x.example"], MARCH)
        known = people(names=True)
        known.learn(writing, terms, ["Anna@x.example", "cy@x.example"], MARCH)
        known.learn(writing, terms, ["anna@x.example"], MARCH)
        found = writing.scalars(select(identity.c.name).order_by(identity.c.id)).all()
    assert sorted(name or "" for name in found) == ["", "Anna@x.example", "cy@x.example"]


def test_when_somebody_was_seen_moves_by_the_month_and_not_back(writing: Connection) -> None:
    terms, identities = Terms(), people()
    with writing.begin():
        for day, month in ((MARCH, 3), (date(2026, 3, 31), 3), (date(2026, 6, 2), 6), (date(2026, 4, 1), 6)):
            identities.learn(writing, terms, ["anna@x.example"], day)
            assert writing.scalar(select(identity.c.seen)) == date(2026, month, 1)


def test_the_pattern_that_matched_is_renewed_when_claims_change(writing: Connection) -> None:
    terms = Terms()
    for pattern in ("", "an*@x.example", "anna*@x.example", ""):
        claims = Claims([("pattern", pattern, 1)] if pattern else [])
        with writing.begin():
            people(claims).learn(writing, terms, ["anna.a@x.example"], MARCH)
            number = writing.scalar(select(identity.c.pattern_id))
            named = writing.scalar(select(term.c.name).where(term.c.kind == "pattern", term.c.id == number))
            assert (named or "") == pattern


def test_a_text_that_differs_by_spaces_at_its_end_loses_no_call(writing: Connection) -> None:
    """The collation takes `x` and `x ` for the same on MySQL, and the key of terms is unique."""
    with writing.begin():
        found = Terms().learn(writing, "tag", ["region", "region "])
        assert found["region"] > 0
        assert found["region "] > 0
    with writing.begin():
        assert Terms().learn(writing, "tag", ["region  "])["region  "] > 0
