"""The spool by itself: order, bound, and files that were cut off or damaged."""

from pathlib import Path

import pytest

from vdx.settings import SettingsError
from vdx.store.spool import REJECTED_FILE, Spool


def opened(directory: Path, limit: int = 10_000) -> Spool:
    spool = Spool(directory, limit)
    spool.open()
    return spool


def drain(spool: Spool) -> list[bytes]:
    found = []
    while (data := spool.first()) is not None:
        found.append(data)
        spool.remove_first()
    return found


def numbered(count: int, size: int = 100) -> list[bytes]:
    return [f"{number}".encode().ljust(size, b".") for number in range(count)]


def test_order_over_files_and_restarts(tmp_path: Path) -> None:
    records = numbered(60)
    spool = opened(tmp_path)
    for data in records[:40]:
        spool.append(data)
    spool = opened(tmp_path)
    assert spool.cycles == 40
    assert spool.wants_full
    for data in records[40:]:
        spool.append(data)
    assert drain(spool) == records
    assert (spool.cycles, spool.size, spool.lost) == (0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_reading_while_writing(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(b"1")
    spool.append(b"2")
    assert spool.first() == b"1"
    spool.remove_first()
    spool.append(b"3")
    assert drain(spool) == [b"2", b"3"]
    assert spool.wants_full
    spool.append(b"4")
    assert drain(spool) == [b"4"]


def test_the_oldest_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = opened(tmp_path, 2_000)
    records = numbered(100)
    beginnings = []
    for data in records:
        if spool.wants_full:
            beginnings.append(data)
        spool.append(data)
        assert spool.size <= 2_000
    kept = drain(spool)
    assert kept == records[-len(kept) :]
    assert spool.lost == len(records) - len(kept) > 0
    assert kept[0] in beginnings


@pytest.mark.parametrize("cut", [1, 4, 8, 50, 107])
def test_a_tail_that_was_cut_off_by_a_kill(tmp_path: Path, cut: int) -> None:
    spool = opened(tmp_path)
    records = numbered(3)
    for data in records:
        spool.append(data)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    spool = opened(tmp_path)
    spool.append(b"after")
    assert drain(spool) == [*records[:2], b"after"]
    assert spool.lost == 1


def test_a_damaged_record_costs_the_rest_of_its_file(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for data in numbered(3):
        spool.append(data)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[120] ^= 1
    file.write_bytes(content)
    spool = opened(tmp_path)
    spool.append(b"after")
    assert drain(spool) == [numbered(1)[0], b"after"]
    assert spool.lost == 2


def test_a_file_that_disappears(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(b"1")
    next(tmp_path.iterdir()).unlink()
    assert spool.first() is None
    assert (spool.lost, spool.cycles) == (1, 0)


def test_an_empty_file_and_one_without_a_whole_record(tmp_path: Path) -> None:
    (tmp_path / "000000000001.cycles").touch()
    (tmp_path / "000000000002.cycles").write_bytes(b"\x09\x00")
    spool = opened(tmp_path)
    assert (spool.cycles, spool.lost) == (0, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_whole_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    spool.append(b"1")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("vdx.store.spool.os.fsync", full)
        for data in (b"2", b"3"):
            with pytest.raises(OSError, match="No space"):
                spool.append(data)
    assert spool.wants_full
    spool.append(b"4")
    assert drain(spool) == [b"1", b"4"]
    assert spool.lost == 0


def test_a_cycle_that_is_larger_than_the_spool(tmp_path: Path) -> None:
    spool = opened(tmp_path, 1_000)
    with pytest.raises(OSError, match="spool_megabytes"):
        spool.append(b"." * 600)
    assert spool.cycles == 0


def test_set_aside_is_bounded_and_private(tmp_path: Path) -> None:
    spool = opened(tmp_path, 1_000)
    for data in numbered(20):
        spool.set_aside(data)
    file = tmp_path / REJECTED_FILE
    assert 500 < file.stat().st_size <= 1_000
    assert file.stat().st_mode & 0o777 == 0o600
    assert opened(tmp_path).cycles == 0


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^data\.directory: "):
        opened(tmp_path / "file" / "spool")
