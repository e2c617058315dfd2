"""What is searched for in the archive is found, and nothing else, whether its hour is open or closed."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vdx.log_lines import HOUR, line, numbered, write
from vdx.logs import search as search_module
from vdx.logs.closing import ArchiveError, close, closed_bytes
from vdx.logs.fields import call_ids, fields, inner_time, source_of
from vdx.logs.files import open_file
from vdx.logs.follow import Follower
from vdx.logs.query import Query, QueryError, check
from vdx.logs.search import blocks_backwards, search
from vdx.logs.timeline import timeline

JOINED = (
    '2026-03-04 08:00:02,297 Level="INFO" Name="administrator.conference" Message="Participant has joined." '
    'Conference="room.0042" Protocol="WebRTC" Call-Id="7F3A-11" Role="chair"'
)
FORTIGATE = 'date=2026-03-04 devid="FG1" logid="0108037892" type="event" srcport=40100 level="alert"'
NXOS = ": 2026 Mar  4 08:11:00 UTC: %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/33 is down"
LOGBACK = (
    '{"@timestamp":"2026-03-04T08:12:00.001Z","logger_name":"no.vdx.Api","level":"ERROR","callId":"C-7"}'
)
ODD = """100% sure_ly it's "so"; DROP TABLE lines; -- \\ ÆØÅ"""


def found(folder: Path, **filters: object) -> list[str]:
    """The messages that are found; any fault of a file fails."""
    return [hit.line.message for hit in search(folder, Query(**filters), pytest.fail)]  # type: ignore[arg-type]


@pytest.fixture(params=["open", "closed"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An hour with a line of each kind."""
    kinds = [
        line(HOUR, JOINED),
        line(HOUR + timedelta(seconds=1), FORTIGATE, host="fw1", severity=1, app="", address="192.0.2.7"),
        line(HOUR + timedelta(seconds=2), NXOS, host="192.0.2.9", address="192.0.2.9", severity=5, app=""),
        line(HOUR + timedelta(seconds=3), LOGBACK, host="api", app="vdx-booking", severity=3),
        line(HOUR + timedelta(seconds=4), ODD, host="other", app="odd", severity=7),
    ]
    path = write(tmp_path, kinds)
    if request.param == "closed":
        close(path)
    return tmp_path


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [ODD, LOGBACK, NXOS, FORTIGATE, JOINED]),
        ({"text": "PARTICIPANT HAS"}, [JOINED]),
        ({"text": "100%"}, [ODD]),
        ({"text": "0% sure_ly"}, [ODD]),
        ({"text": "_"}, [ODD, LOGBACK, NXOS]),
        ({"text": "%"}, [ODD, NXOS]),
        ({"text": ODD}, [ODD]),
        ({"text": "æøå"}, [ODD]),
        ({"text": "\\"}, [ODD]),
        ({"text": "' OR 1=1 --"}, []),
        ({"host": "x' OR '1'='1"}, []),
        ({"regex": r"Ethernet\d/3+ is"}, [NXOS]),
        ({"regex": "^date="}, [FORTIGATE]),
        ({"source": "pexip"}, [JOINED]),
        ({"source": "fortigate"}, [FORTIGATE]),
        ({"source": "nxos"}, [NXOS]),
        ({"source": "vdx-api"}, [LOGBACK]),
        ({"source": "other"}, [ODD]),
        ({"host": "FW1"}, [FORTIGATE]),
        ({"host": "192.0.2.7"}, [FORTIGATE]),
        ({"severity": 3}, [LOGBACK, FORTIGATE]),
        ({"severity": 0}, []),
        ({"app": "VDX-booking"}, [LOGBACK]),
        ({"fields": (("protocol", "webrtc"),)}, [JOINED]),
        ({"fields": (("Protocol", "Web"),)}, []),
        ({"fields": (("col", "WebRTC"),)}, []),
        ({"fields": (("srcport", "40100"),)}, [FORTIGATE]),
        ({"fields": (("srcport", "4010"),)}, []),
        ({"fields": (("level", "ERROR"),)}, [LOGBACK]),
        ({"fields": (("Level", "INFO"), ("Role", "chair"))}, [JOINED]),
        ({"fields": (("Conference", "room.*"),)}, []),
        ({"call_id": "7f3a-11"}, [JOINED]),
        ({"call_id": "c-7"}, [LOGBACK]),
        ({"call_id": "7f3a"}, []),
        ({"text": "room", "host": "fw1"}, []),
    ],
    ids=str,
)
def test_each_filter_finds_its_lines_and_no_others(
    archive: Path, filters: dict[str, object], expected: list[str]
) -> None:
    assert found(archive, **filters) == expected


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_no_text_is_taken_for_sql_or_a_pattern(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("archive")
    write(folder, [line(HOUR, f"before{text}after"), line(HOUR, "without")])
    # What upper and lower case are for some letters is a question of its own.
    if text.lower() in "without":
        return
    assert found(folder, text=text) == [f"before{text}after"]


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10)])
def test_no_more_lines_than_the_limit_are_found_and_those_are_the_newest(
    tmp_path: Path, limit: int, count: int
) -> None:
    for number in (0, 1):
        hour = HOUR + timedelta(hours=number)
        path = write(tmp_path, numbered(5, hour, first=5 * number), hour)
        if number == 0:
            close(path)
    assert found(tmp_path, limit=limit) == [f"line {number}" for number in range(9, 9 - count, -1)]


def test_an_empty_archive_has_no_line_and_no_folder_is_told(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    with pytest.raises(ArchiveError, match=r"none cannot be read: .*syslog\.directory"):
        found(tmp_path / "none")


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, numbered(1))
    for name in ("impstats.jsonl", "notes.parquet", "2026-03-04T99.parquet", "x"):
        (tmp_path / name).write_text("nothing of the archive")
    assert found(tmp_path) == ["line 0"]


def test_a_range_holds_its_first_moment_and_not_its_last(tmp_path: Path) -> None:
    following = HOUR + timedelta(hours=1)
    last = line(following - timedelta(microseconds=1), "last")
    close(write(tmp_path, [line(HOUR, "first"), last]))
    write(tmp_path, [line(following, "next")], following)
    assert found(tmp_path, since=HOUR, until=following) == ["last", "first"]
    assert found(tmp_path, since=following) == ["next"]
    assert found(tmp_path, since=following - timedelta(microseconds=1)) == ["next", "last"]
    assert found(tmp_path, until=HOUR) == []


def test_the_hour_that_the_danish_clock_shows_twice_is_two_hours(tmp_path: Path) -> None:
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    for moment, words in ((summer, "summer"), (winter, "winter")):
        close(write(tmp_path, [line(moment, words)], moment))
    assert found(tmp_path) == ["winter", "summer"]
    assert found(tmp_path, since=winter) == ["winter"]


def test_an_old_hour_is_not_read_when_a_newer_one_has_enough(tmp_path: Path) -> None:
    (tmp_path / "2026-03-04T07.parquet").write_bytes(b"PAR1 broken")
    write(tmp_path, numbered(3))
    assert found(tmp_path, limit=3) == ["line 2", "line 1", "line 0"]


def test_a_closed_file_that_is_broken_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    close(write(tmp_path, numbered(1)))
    whole = (tmp_path / "2026-03-04T08.parquet").read_bytes()
    (tmp_path / "2026-03-04T07.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "2026-03-04T06.parquet").write_bytes(b"")
    told: list[str] = []
    lines = list(search(tmp_path, Query(), told.append))
    assert [hit.line.message for hit in lines] == ["line 0"]
    assert [words.partition(" ")[0] for words in told] == [
        str(tmp_path / f"2026-03-04T0{hour}.parquet") for hour in (7, 6)
    ]
    assert all("left out" in words and "restore it" in words for words in told)


def test_a_line_that_is_still_being_written_is_not_shown(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(1))
    with path.open("a") as file:
        file.write(line(HOUR, "half")[:40])
    assert found(tmp_path) == ["line 0"]


def test_an_hour_that_is_closed_while_it_is_read_gives_each_line_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(write(tmp_path, numbered(2)))
    path = write(tmp_path, numbered(2, first=2))
    calls: list[int] = []

    def closed_meanwhile(*arguments: object) -> int:
        if not calls:
            calls.append(1)
            close(path)
        return closed_bytes(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("vdx.logs.search.closed_bytes", closed_meanwhile)
    assert found(tmp_path) == ["line 3", "line 2", "line 1", "line 0"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(regex="("), "regex: .*missing"),
        (Query(regex="(?<x"), "regex: "),
        (Query(source="cisco"), "source cisco: .*pexip, fortigate"),
        (Query(fields=(("", "x"),)), "field : write it as key=value"),
        (Query(fields=(("a b", "x"),)), "field a b"),
        (Query(severity=8), "severity 8"),
        (Query(limit=-1), "limit -1"),
        (Query(since=HOUR, until=HOUR), "since is not before until"),
    ],
    ids=str,
)
def test_a_search_that_makes_no_sense_is_told(query: Query, words: str) -> None:
    with pytest.raises(QueryError, match=words) as error:
        check(query)
    assert "\n" not in str(error.value)


@given(
    st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=30), st.integers(1, 70)
)
def test_a_file_read_backwards_has_the_lines_of_one_read_forwards(lines: list[bytes], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "_BLOCK_BYTES", block)
        file = io.BytesIO(b"".join(raw + b"\n" for raw in lines) + b"unfinished")
        back = [raw for some in blocks_backwards(file, 0) for raw in reversed(some)]
    assert back[::-1] == [raw for raw in lines if raw]


def test_a_block_ends_where_the_closed_part_of_a_file_begins() -> None:
    file = io.BytesIO(b"one\ntwo\nthree\n")
    assert list(blocks_backwards(file, 4)) == [[b"two", b"three"]]


class TestFollowing:
    def test_what_comes_is_shown_once_and_what_was_there_is_not(self, tmp_path: Path) -> None:
        path = write(tmp_path, numbered(2))
        follower = Follower(tmp_path, Query(text="line"))
        assert follower.poll() == []
        with path.open("a") as file:
            file.write(line(HOUR, "line a") + line(HOUR, "else") + line(HOUR, "line b")[:30])
        assert [hit.line.message for hit in follower.poll()] == ["line a"]
        with path.open("a") as file:
            file.write(line(HOUR, "line b")[30:])
        assert [hit.line.message for hit in follower.poll()] == ["line b"]
        assert follower.poll() == []

    def test_the_next_hour_is_followed_and_the_closed_one_is_not_shown_again(self, tmp_path: Path) -> None:
        path = write(tmp_path, numbered(1))
        follower = Follower(tmp_path, Query())
        following = HOUR + timedelta(hours=1)
        write(tmp_path, [line(HOUR, "late")])
        write(tmp_path, [line(following, "next")], following)
        assert [hit.line.message for hit in follower.poll()] == ["late", "next"]
        close(path)
        write(tmp_path, [line(following, "more")], following)
        assert [hit.line.message for hit in follower.poll()] == ["more"]

    def test_a_file_that_was_cut_is_followed_from_its_beginning(self, tmp_path: Path) -> None:
        path = write(tmp_path, numbered(3))
        follower = Follower(tmp_path, Query())
        path.write_text(line(HOUR, "anew"))
        assert [hit.line.message for hit in follower.poll()] == ["anew"]


def step(inner: str, message: str, *, after: float, host: str = "conf01") -> str:
    """A line of Pexip with its own time, received so many seconds after the hour."""
    text = f'2026-03-04 {inner} Level="INFO" Name="support.sip" {message}'
    return line(HOUR + timedelta(seconds=after), text, host=host)


class TestTimeline:
    def steps(self, folder: Path, call_id: str = "AB-1") -> list[tuple[str, str]]:
        """Host and message without its head, of each step."""
        steps = timeline(folder, Query(call_id=call_id, limit=1000), pytest.fail)
        return [(one.hit.line.host, one.hit.line.message.partition('sip" ')[2]) for one in steps]

    def test_the_lines_of_all_nodes_are_in_order_of_their_inner_time(self, tmp_path: Path) -> None:
        following = HOUR + timedelta(hours=1)
        first = [
            step("07:59:59,500", 'Call-Id="AB-1" one', after=3, host="b"),
            step("08:00:02,000", 'Call-Id="AB-1" three', after=1, host="a"),
            step("08:00:01,999", 'Participant-Id="ab-1" two', after=2, host="b"),
            step("08:00:01,999", 'Call-Id="AB-2" another call', after=2, host="b"),
        ]
        close(write(tmp_path, first))
        write(tmp_path, [step("09:00:00,000", 'Call-Id="ab-1" four', after=3600)], following)
        assert [text.split()[-1] for _, text in self.steps(tmp_path)] == ["one", "two", "three", "four"]

    def test_the_parts_of_a_message_are_joined_though_only_the_first_names_the_call(
        self, tmp_path: Path
    ) -> None:
        part = 'Fragment-Id="9" Fragment-Number="{}" Fragment-Total="3" Detail="{}"'
        write(
            tmp_path,
            [
                step("08:00:01,000", part.format(1, "INVITE ") + ' Call-Id="AB-1"', after=1),
                step("08:00:01,000", part.format(3, "SIP/2.0"), after=1.1),
                step("08:00:01,001", part.format(2, r"sip:\"x\" \1 "), after=1.2),
                step("08:00:01,001", part.format(2, "of another node"), after=1.2, host="conf02"),
                step("08:00:50,001", part.format(2, "of another message"), after=50),
            ],
        )
        assert self.steps(tmp_path) == [
            ("conf01", part.format(1, r"INVITE sip:\"x\" \1 SIP/2.0") + ' Call-Id="AB-1"')
        ]

    def test_a_part_that_is_not_there_is_told_in_its_place(self, tmp_path: Path) -> None:
        part = 'fragment-id="9" fragment-number="{}" fragment-total="3" detail="{}" Call-Id="AB-1"'
        write(
            tmp_path,
            [
                step("08:00:01,000", part.format(0, "a"), after=1),
                step("08:00:01,000", part.format(2, "c"), after=1),
            ],
        )
        [(_, text)] = self.steps(tmp_path)
        assert 'Detail="a[part 1 is missing]c"' in text

    def test_an_id_of_a_message_that_is_used_again_begins_another(self, tmp_path: Path) -> None:
        part = 'Fragment-Id="9" Fragment-Number="1" Fragment-Total="1" Detail="{}" Call-Id="AB-1"'
        lines = [step(f"08:00:0{n},000", part.format(n), after=n) for n in (1, 2)]
        write(tmp_path, lines)
        assert [text for _, text in self.steps(tmp_path)] == [part.format(1), part.format(2)]

    def test_a_call_that_nobody_wrote_of_has_no_steps(self, tmp_path: Path) -> None:
        write(tmp_path, [step("08:00:01,000", 'Call-Id="AB-1"', after=1)])
        assert self.steps(tmp_path, "AB") == []


def test_the_kinds_of_senders_are_told_by_the_message() -> None:
    audit = "type=USER_LOGIN msg=audit(1741075740.123:4411): pid=2210 res=failed"
    kinds = [source_of("", message) for message in (JOINED, FORTIGATE, NXOS, LOGBACK, audit, "hello")]
    assert kinds == ["pexip", "fortigate", "nxos", "vdx-api", "audit", "other"]
    assert source_of("nginx", 'GET / HTTP/1.1" 200') == "nginx"


def test_calls_and_fields_and_inner_times_are_read_as_pexip_writes_them() -> None:
    sip = 'Call-Id="A-1" participant-id="p" Detail="INVITE^MCall-ID: x9@host^MFrom: <sip:y>" Call-Id="a-1"'
    assert call_ids(sip) == ["a-1", "p", "x9@host"]
    assert fields(r'A-b="x \"y\"" C="" d=e') == {"a-b": r"x \"y\"", "c": ""}
    assert inner_time(JOINED) == datetime(2026, 3, 4, 8, 0, 2, 297_000, tzinfo=UTC)
    assert inner_time(LOGBACK) == datetime(2026, 3, 4, 8, 12, 0, 1_000, tzinfo=UTC)
    assert inner_time("2026-13-04 08:00:02,297 x") is None


def test_the_open_hour_is_read_with_the_newest_block_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "_BLOCK_BYTES", 500)
    write(tmp_path, numbered(50))
    assert open_file(tmp_path, HOUR).stat().st_size > 5000
    assert found(tmp_path, limit=7) == [f"line {number}" for number in range(49, 42, -1)]
    assert found(tmp_path, text="line 3", limit=2) == ["line 39", "line 38"]
