"""Every line reaches Humio, whatever Humio, the network and the archive do meanwhile."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from miners.humio.dead_letters import DeadLetters
from simulator.humio import StandIn, running
from tests.miners.humio.shipping import NOON, line, numbered, shipping, until, write


@pytest.fixture
def humio() -> Iterator[StandIn]:
    with running() as stand_in:
        yield stand_in


def texts(first: int, last: int) -> set[str]:
    return {f"line {number}" for number in range(first, last)}


async def until_taken(humio: StandIn, wanted: set[str]) -> None:
    await until(lambda: wanted <= humio.texts().keys())


@pytest.mark.parametrize("endpoint", ["structured", "hec"])
async def test_a_line_arrives_with_its_text_its_time_and_its_sender(
    humio: StandIn, tmp_path: Path, endpoint: str
) -> None:
    async with shipping(tmp_path, humio, endpoint=endpoint) as one:
        text = 'Level="INFO" Name="møde" "quoted" \\ \x07 \U0001f600'
        write(one.archive, [line(text, host="node-7", told=NOON + timedelta(seconds=0.25))])
        assert await one.shipper.catch_up(asyncio.Event())
    (event,) = humio.events
    assert (event.text, event.timestamp) == (text, NOON.timestamp() + 0.25)
    assert (event.fields["host"], event.fields["severity"], event.fields["app"]) == (
        "node-7",
        "info",
        "pexip",
    )
    tags = {"host": "node-7", "source": "pexip", "app": "pexip"}
    assert event.tags == (tags if endpoint == "structured" else {})
    assert endpoint == "structured" or event.fields["source"] == "pexip"


async def test_a_sender_whose_clock_is_ten_years_off_is_found_at_the_time_of_receipt(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        wrong = NOON - timedelta(days=3650)
        write(one.archive, [line("late", told=wrong)])
        await one.shipper.catch_up(asyncio.Event())
    assert humio.events[0].timestamp == NOON.timestamp()
    assert humio.events[0].fields["time"] == wrong.isoformat()


async def test_an_empty_archive_sends_nothing_and_one_that_is_not_there_yet_is_waited_for(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        assert await one.shipper.catch_up(asyncio.Event())
        one.archive.mkdir()
        write(one.archive, [])
        assert await one.shipper.catch_up(asyncio.Event())
        assert not humio.requests
        assert one.value("humio_lag_bytes") == 0


@pytest.mark.parametrize(("lines", "requests"), [(5000, [5000]), (5001, [5000, 1])])
async def test_a_request_holds_at_most_5_000_events(
    humio: StandIn, tmp_path: Path, lines: int, requests: list[int]
) -> None:
    async with shipping(tmp_path, humio) as one:
        write(one.archive, numbered(0, lines))
        assert await one.shipper.catch_up(asyncio.Event())
    assert [events for events, _ in humio.sizes] == requests
    assert humio.texts() == dict.fromkeys(texts(0, lines), 1)
    assert one.value("humio_events_total") == lines
    assert one.value("humio_batches_total") == len(requests)


async def test_a_line_that_is_larger_than_a_request_becomes_a_dead_letter_and_the_rest_is_sent(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio, batch_bytes=2000) as one:
        write(one.archive, [line("before"), line("x" * 2000), line("after")])
        assert await one.shipper.catch_up(asyncio.Event())
        assert set(humio.texts()) == {"before", "after"}
        assert one.letters() == ["x" * 2000]
        assert one.value("humio_dead_letters_total", reason="size") == 1
        assert all(size <= 2000 for _, size in humio.sizes)


@pytest.mark.parametrize(
    "faults", [["503", "503", "503"], ["429"], ["500", "302", "204"], ["reset", "reset"], ["slow"]]
)
async def test_a_fault_that_passes_delays_lines_and_neither_loses_nor_doubles_one(
    humio: StandIn, tmp_path: Path, faults: list[str]
) -> None:
    async with shipping(tmp_path, humio) as one:
        write(one.archive, numbered(0, 300))
        humio.fail(*faults)
        assert await one.shipper.catch_up(asyncio.Event())
        retried = [fault for fault in faults if fault != "slow"]
        assert one.value("humio_retries_total") == len(retried)
    assert humio.texts() == dict.fromkeys(texts(0, 300), 1)


@pytest.mark.parametrize("fault", ["timeout", "half"])
async def test_lines_that_were_taken_without_an_answer_are_sent_again_and_no_others(
    humio: StandIn, tmp_path: Path, fault: str
) -> None:
    async with shipping(tmp_path, humio, batch_events=100, timeout_seconds=0.5) as one:
        write(one.archive, numbered(0, 300))
        humio.fail("503", fault)
        assert await one.shipper.catch_up(asyncio.Event())
    assert texts(0, 300) == humio.texts().keys()
    doubled = {text for text, count in humio.texts().items() if count > 1}
    assert doubled == {event.text for event in humio.unanswered} == texts(0, 100)


async def test_a_fault_is_logged_once_until_it_is_mended(
    humio: StandIn, tmp_path: Path, log: list[str]
) -> None:
    async with shipping(tmp_path, humio) as one:
        write(one.archive, numbered(0, 3))
        humio.fail(*["503"] * 5)
        await one.shipper.catch_up(asyncio.Event())
    assert sum("(503)" in words for words in log) == 1
    assert log[-1] == "humio: Humio takes events again"


@pytest.mark.parametrize("place", [0, 499, 777, 999])
async def test_a_poisoned_line_is_found_and_put_aside_and_the_rest_is_sent_once(
    humio: StandIn, tmp_path: Path, place: int
) -> None:
    humio.poison = "poison"
    async with shipping(tmp_path, humio) as one:
        lines = numbered(0, 1000)
        lines[place] = line("poison")
        write(one.archive, lines)
        assert await one.shipper.catch_up(asyncio.Event())
        assert one.letters() == ["poison"]
        assert one.value("humio_dead_letters_total", reason="refused") == 1
        assert one.value("humio_dead_letter_bytes") == one.letters_file.stat().st_size
        assert one.value("humio_up") == 1
        assert one.value("humio_lag_bytes") == 0
    assert humio.texts() == dict.fromkeys(texts(0, 1000) - {f"line {place}"}, 1)
    assert humio.requests[400] <= 11
    assert stat.S_IMODE(one.letters_file.stat().st_mode) == 0o600


async def test_several_poisoned_lines_are_logged_once(humio: StandIn, tmp_path: Path, log: list[str]) -> None:
    humio.poison = "poison"
    async with shipping(tmp_path, humio) as one:
        write(one.archive, [line(f"poison {number}") for number in range(20)] + numbered(0, 20))
        assert await one.shipper.catch_up(asyncio.Event())
        assert len(one.letters()) == 20
    assert humio.texts() == dict.fromkeys(texts(0, 20), 1)
    assert [words for words in log if "dead letters" in words] == [
        "humio: lines become dead letters; the first: Humio refused the events (400)"
    ]


@pytest.mark.parametrize("status", ["401", "403", "404"])
async def test_a_refused_sender_pauses_and_no_line_becomes_a_dead_letter(
    humio: StandIn, tmp_path: Path, status: str
) -> None:
    async with shipping(tmp_path, humio) as one:
        write(one.archive, numbered(0, 10))
        humio.fail(*[status] * 1000)
        stop = asyncio.Event()
        running = asyncio.create_task(one.shipper.run(stop))
        await until(lambda: humio.requests[int(status)] >= 3)
        assert (one.value("humio_paused"), one.value("humio_up")) == (1, 0)
        assert f"({status})" in one.shipper.fault
        assert (one.value("humio_lag_bytes") or 0) > 1000
        humio.script.clear()
        await until_taken(humio, texts(0, 10))
        stop.set()
        await running
        assert (one.value("humio_paused"), one.value("humio_up"), one.shipper.fault) == (0, 1, "")
        assert one.letters() == []


async def test_a_token_that_is_mended_in_its_file_is_used_without_a_restart(
    humio: StandIn, tmp_path: Path, log: list[str]
) -> None:
    async with shipping(tmp_path, humio, token="of-another-repository") as one:
        write(one.archive, numbered(0, 10))
        stop = asyncio.Event()
        running = asyncio.create_task(one.shipper.run(stop))
        await until(lambda: humio.requests[403] > 0)
        one.token_file.write_text(humio.token)
        await until_taken(humio, texts(0, 10))
        stop.set()
        await running
    assert not any("of-another-repository" in words or humio.token in words for words in log)


async def test_lines_that_come_later_and_in_the_next_hour_are_handed_on(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        stop = asyncio.Event()
        running = asyncio.create_task(one.shipper.run(stop))
        write(one.archive, numbered(0, 10))
        await until_taken(humio, texts(0, 10))
        write(one.archive, numbered(10, 20), hours=1)
        write(one.archive, numbered(20, 30))
        await until_taken(humio, texts(0, 30))
        stop.set()
        await running
    assert humio.texts() == dict.fromkeys(texts(0, 30), 1)


async def test_a_file_that_is_deleted_or_truncated_stops_nothing_and_is_counted(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        path = write(one.archive, numbered(0, 50))
        await one.shipper.catch_up(asyncio.Event())
        path.write_bytes(b"")
        await one.shipper.catch_up(asyncio.Event())
        write(one.archive, numbered(50, 60))
        await one.shipper.catch_up(asyncio.Event())
        assert one.value("humio_archive_faults", fault="truncated") == 1
        path.unlink()
        write(one.archive, numbered(60, 70), hours=2)
        await one.shipper.catch_up(asyncio.Event())
    assert humio.texts() == dict.fromkeys(texts(0, 70), 1)


async def test_what_is_no_line_of_the_archive_is_handed_on_as_it_is_and_counted(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        path = write(one.archive, [line("good")])
        with path.open("ab") as file:
            file.write(b'{"half": \n\x00\xff\xfe garbage\n')
        write(one.archive, [line("good as well")])
        await one.shipper.catch_up(asyncio.Event())
        assert one.value("humio_unparsed_lines_total") == 2
    assert set(humio.texts()) == {"good", "good as well", '{"half": ', "\x00\\xff\\xfe garbage"}


async def test_another_shipper_goes_on_where_the_last_one_was(humio: StandIn, tmp_path: Path) -> None:
    for first in (0, 100, 200):
        async with shipping(tmp_path, humio, batch_events=30) as one:
            write(one.archive, numbered(first, first + 100))
            await one.shipper.catch_up(asyncio.Event())
    assert humio.texts() == dict.fromkeys(texts(0, 300), 1)


async def test_hosts_beyond_the_bound_share_a_tag_and_keep_their_name_as_an_attribute(
    humio: StandIn, tmp_path: Path
) -> None:
    async with shipping(tmp_path, humio) as one:
        most = one.settings.logs.most_hosts
        write(one.archive, [line("x", host=f"host-{number}") for number in range(most + 50)])
        await one.shipper.catch_up(asyncio.Event())
    assert len({event.tags["host"] for event in humio.events}) == most + 1
    assert len({event.fields["host"] for event in humio.events}) == most + 50


async def test_dead_letters_are_kept_within_their_bound_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "letters", most_bytes=10_000)
    kept = [letters.add(b"x" * 900, "refused", "words", NOON) for _ in range(40)]
    assert letters.size <= 20_000
    assert kept.count(False) > 0
    assert stat.S_IMODE(letters.before.stat().st_mode) == 0o600


async def test_a_disk_that_takes_no_dead_letter_holds_the_line_back_until_it_does(
    humio: StandIn, tmp_path: Path
) -> None:
    humio.poison = "poison"
    async with shipping(tmp_path, humio) as one:
        one.letters_file.mkdir()
        write(one.archive, [line("poison"), line("good")])
        stop = asyncio.Event()
        running = asyncio.create_task(one.shipper.run(stop))
        await until(lambda: "letters" in one.shipper.fault)
        assert not humio.texts()
        one.letters_file.rmdir()
        await until_taken(humio, {"good"})
        stop.set()
        await running
        assert one.letters() == ["poison"]


async def test_a_stop_ends_a_long_wait_at_once(humio: StandIn, tmp_path: Path) -> None:
    async with shipping(tmp_path, humio) as one:
        write(one.archive, numbered(0, 3))
        humio.fail(*["503"] * 10_000)
        stop = asyncio.Event()
        running = asyncio.create_task(one.shipper.run(stop))
        await asyncio.sleep(0.2)
        stop.set()
        async with asyncio.timeout(1):
            await running
    assert not humio.events
