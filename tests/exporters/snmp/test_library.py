"""The files of modules: those that come with VDX Watch load, and a wrong one is told with its mend."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.library import FOLDER, Modules
from exporters.snmp.module import Health, ModuleError, Object, Table
from tests.exporters.snmp.agents import MODULES

GOOD = """
title = "UPS"
source = "UPS-MIB"
includes = ["system"]
aliases = ["ups"]
[scalars]
upsBatteryStatus = { oid = "1.3.6.1.2.1.33.1.2.1.0", help = "State", values = { 2 = "normal", 3 = "low" } }
[tables.upsInputTable]
oid = "1.3.6.1.2.1.33.1.3.3.1"
index = ["upsInputLineIndex"]
[tables.upsInputTable.columns]
upsInputVoltage = { oid = 3, help = "Voltage, V" }
"""


def written(folder: Path, text: str, name: str = "ups") -> Path:
    """A folder of one's own with one module."""
    (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_module_that_comes_with_vdx_watch_is_whole(path: Path) -> None:
    module = MODULES.get(path.stem)
    assert module.title
    objects = [
        *module.scalars.items(),
        *(pair for table in module.tables.values() for pair in table.columns.items()),
    ]
    assert objects
    for name, what in objects:
        assert what.help, name
        if what.health:
            known = {*what.health.good, *what.health.warning, *what.health.critical, *what.health.absent}
            assert known <= set(what.values.values()), name
        assert re.fullmatch(r"[a-zA-Z]\w*", name)
    for table in module.tables.values():
        oids = [table.column_oid(name) for name in table.columns]
        assert len(set(oids)) == len(oids)
    assert all(str(scalar.oid).endswith(".0") for scalar in module.scalars.values())


def test_a_module_of_ones_own_stands_beside_the_others_and_has_aliases(tmp_path: Path) -> None:
    modules = Modules(written(tmp_path, GOOD))
    assert set(modules.names) == {*MODULES.names, "ups"}
    module = modules.get("ups")
    assert {"sysUpTime", "upsBatteryStatus"} <= module.scalars.keys()
    assert module.tables["upsInputTable"].column_oid("upsInputVoltage") == "1.3.6.1.2.1.33.1.3.3.1.3"


def test_a_module_of_ones_own_wins_over_one_of_the_same_name(tmp_path: Path) -> None:
    modules = Modules(written(tmp_path, GOOD, "idrac"))
    assert modules.get("idrac").title == "UPS"


def test_modules_can_be_joined() -> None:
    joined = MODULES.joined(["if_mib", "ucd_memory", "host_resources"])
    assert {"ifNumber", "memTotalReal", "hrSystemUptime"} <= joined.scalars.keys()
    assert MODULES.joined(["if_mib"]) is MODULES.get("if_mib")
    with pytest.raises(ModuleError, match="no module 'of the moon'; there are bgp, entity"):
        MODULES.joined(["if_mib", "of the moon"])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('title = "UPS"', "titel = 1\n", "unknown field `titel`"),
        ('title = "UPS"', "", "missing required field `title`"),
        ("oid = 3", 'oid = "three"', "matching regex"),
        ("oid = 3", "oid = 0", ">= 1"),
        ("oid = 3", "oid = 3, type = 'float'", "Invalid enum value 'float'"),
        ("upsInputVoltage =", "ups-input-voltage =", "matching regex"),
        ('["upsInputLineIndex"]', '["upsInputLineIndex:x"]', "matching regex"),
        ('["upsInputLineIndex"]', '["device"]', "has the label device twice; rename one"),
        ('oid = "1.3.6.1.2.1.33.1.2.1.0"', "oid = 7", "write it whole"),
        (
            'includes = ["system"]',
            'includes = ["solar"]',
            "includes solar, which does not exist; there are bgp",
        ),
        ('includes = ["system"]', 'includes = ["ups"]', "includes itself by way of ups; remove one"),
        ('help = "State",', 'help = "State", health = { component = "x", only = { a = "b" } },', "remove it"),
        (
            "upsBatteryStatus =",
            'upsInputVoltage = { oid = "1.3.6.1.2.1.33.1.2.9.0" }\nupsBatteryStatus =',
            "has upsInputVoltage twice",
        ),
        (
            "[tables.upsInputTable.columns]",
            '[tables.upsInputTable.sensor]\nvalue = "upsInputAmperes"\n[tables.upsInputTable.columns]',
            "table upsInputTable refers to upsInputAmperes, which it does not have; add it",
        ),
        (
            "[tables.upsInputTable.columns]",
            '[tables.upsInputTable.sensor]\nvalue = "upsInputVoltage"\nunit_patterns = { "(" = "volts" }\n'
            "[tables.upsInputTable.columns]",
            "unit pattern",
        ),
        (
            "[tables.upsInputTable.columns]",
            '[tables.upsInputTable.labels]\nline = { oid = "1.3.6.1.2", on = ["lineIndex"] }\n'
            "[tables.upsInputTable.columns]",
            "refers to lineIndex",
        ),
        (
            '3, help = "Voltage, V" }',
            '3, health = { component = "x", only = { upsAlarm = "on" } } }',
            "refers to upsAlarm",
        ),
        ('aliases = ["ups"]', '[identity]\nserial = ["upsSerial"]', "identity refers to upsSerial"),
        (
            'index = ["upsInputLineIndex"]',
            'index = ["upsInputLineIndex"]\ninstead_of = "upsTable"',
            "is instead of upsTable",
        ),
        ("[scalars]", "[scalars", "Invalid initial character|Expected"),
    ],
)
def test_a_wrong_module_is_told_in_one_line_that_names_it(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in GOOD
    with pytest.raises(ModuleError, match=words) as raised:
        Modules(written(tmp_path, GOOD.replace(before, after, 1)))
    assert "ups" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_modules_that_include_each_other_are_told(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace('includes = ["system"]', 'includes = ["b"]').replace('["ups"]', "[]"), "a")
    written(tmp_path, 'title = "b"\nsource = "b"\nincludes = ["a"]\n', "b")
    with pytest.raises(ModuleError, match="module a includes itself by way of a, b"):
        Modules(tmp_path)


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "snmp.md").read_text()
    example = re.search(r'```toml\n(title = "UPS".*?)```', text, re.DOTALL)
    assert example
    module = Modules(written(tmp_path, example[1])).get("ups")
    assert {"sysUpTime", "upsIdentModel", "upsBatteryStatus"} <= module.scalars.keys()
    assert module.identity.model == ("upsIdentModel",)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="there is no such folder; name one with modules"):
        Modules(tmp_path / "missing")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "ups.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModuleError, match=r"ups\.toml.*docs/snmp\.md describes the form"):
        Modules(tmp_path)


PARTS = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=3), st.sampled_from(["", ":2", ":4", ":*"])),
    max_size=4,
    unique_by=lambda part: part[0],
)
NUMBERS = st.lists(st.integers(0, 2**32 - 1), max_size=12)


def table_with(parts: list[tuple[str, str]]) -> Table:
    """A table with such an index."""
    return Table("1.3", {}, tuple(name + length for name, length in parts))


@given(PARTS, NUMBERS)
def test_an_index_is_taken_apart_without_losing_a_number(
    parts: list[tuple[str, str]], numbers: list[int]
) -> None:
    suffix = ".".join(map(str, numbers))
    found = table_with(parts).index_parts(suffix)
    assert list(found) == [name for name, _ in parts]
    if parts:
        assert ".".join(filter(None, found.values())) == suffix


@given(st.data(), PARTS)
def test_an_index_as_it_is_declared_has_each_part_at_its_length(
    data: st.DataObject, parts: list[tuple[str, str]]
) -> None:
    parts = [(name, "" if length == ":*" else length) for name, length in parts]
    lengths = [int(length[1:] or 1) for _, length in parts]
    split = [data.draw(st.lists(st.integers(0, 999), min_size=size, max_size=size)) for size in lengths]
    suffix = ".".join(str(number) for part in split for number in part)
    found = table_with(parts).index_parts(suffix)
    assert list(found.values()) == [".".join(map(str, part)) for part in split]


STATES = st.text(max_size=3)


@given(*[st.lists(STATES, max_size=3) for _ in range(4)], STATES)
def test_a_value_in_no_list_is_unknown_and_others_have_the_state_of_theirs(
    good: list[str], warning: list[str], critical: list[str], absent: list[str], value: str
) -> None:
    health = Health("part", tuple(good), tuple(warning), tuple(critical), tuple(absent))
    state = health.state(value)
    assert (state == "unknown") == (value not in {*good, *warning, *critical, *absent})
    if state != "unknown":
        assert value in getattr(health, state)


def test_a_column_is_named_by_its_number_or_as_a_whole() -> None:
    table = Table("1.3.6", {"a": Object(5), "b": Object("1.3.7.9")})
    assert (table.column_oid("a"), table.column_oid("b")) == ("1.3.6.5", "1.3.7.9")
