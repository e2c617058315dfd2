"""The register of hardware: what is right in it is kept, and each fault names its place and its mend."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.asset_register import RegisterError, parse
from vdx.assets import Asset

HEADING = "name;device;model;serial;bought;service_until;location\n"
FIRST = Asset("fw-a", date(2027, 6, 30), "fw", "FortiGate 2200E", "FG1", date(2022, 7, 1), "Viborg")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADING}fw-a;fw;FortiGate 2200E;FG1;2022-07-01;2027-06-30;Viborg\n",
        f"\ufeff{HEADING}fw-a;fw;FortiGate 2200E;FG1;2022-07-01;2027-06-30;Viborg\r\n",
        f"{HEADING}fw-a;fw;FortiGate 2200E;FG1;2022-07-01;2027-06-30;Viborg\n".replace(";", ","),
        "# by hand\n\nService_Until , NAME,serial,device,model,bought,location\n"
        '2027-06-30, "fw-a", FG1,fw,"FortiGate\n2200E",2022-07-01,  Viborg \n;;\n',
        f"{HEADING}fw-a;fw;FortiGate 2200E;FG1;2022-07-01;2027-06-30;;;\n",
    ],
    ids=["plain", "mark, Windows lines", "commas", "by hand", "location of the device, empty cells"],
)
def test_a_csv_file_is_read_however_a_spreadsheet_writes_it(text: str) -> None:
    register = parse(text, "assets.csv", {"fw": "Viborg"})
    assert register.assets[0] == FIRST
    assert len(register.assets) == 1


def test_a_toml_file_has_the_same_fields() -> None:
    text = """
    [[assets]]
    name = "fw-a"
    device = "fw"
    model = "FortiGate 2200E"
    serial = "FG1"
    bought = 2022-07-01
    service_until = "2027-06-30"
    location = "Viborg"

    [[assets]]
    name = "shelf"
    serial = 4711
    service_until = 2026-01-31
    """
    register = parse(text, "assets.toml", {"fw": ""})
    assert register.assets == (FIRST, Asset("shelf", date(2026, 1, 31), serial="4711"))
    assert register.faults == ()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("fw-b;;;;;30-06-2027;", "line 3, service_until: '30-06-2027' is no date of 1990 to 2100"),
        ("fw-b;;;;;2027-02-30;", "line 3, service_until: '2027-02-30' is no date"),
        ("fw-b;;;;;9999-12-31;", "line 3, service_until: '9999-12-31' is no date of 1990 to 2100"),
        ("fw-b;;;;;;", "line 3, service_until: it is empty"),
        (";;;;;2027-06-30;", "line 3, name: it is empty"),
        ("fw-b", "line 3, service_until: it is empty"),
        ("fw-b;;;;2028-01-01;2027-06-30;", "line 3, service_until: 2027-06-30 is before it was bought"),
        ("fw-b;fv;;;;2027-06-30;", "line 3, device: there is no [devices.fv] in the settings"),
        ("fw-a;;;;;2027-06-30;", "line 3, name: 'fw-a' stands on line 2 already"),
        ("fw-b;;;fg 1;;2027-06-30;", "line 3, serial: 'fg 1' stands on line 2 already"),
        ("fw-b;;;;;2027-06-30;;x", "line 3, all: the row does not have the 7 fields of the heading"),
    ],
)
def test_a_wrong_row_is_told_with_its_mend_and_the_others_stay(row: str, fault: str) -> None:
    text = f"{HEADING}fw-a;fw;;FG1;;2027-06-30;\n{row}\nfw-c;;;;;2028-06-30;\n"
    register = parse(text, "assets.csv", {"fw": ""})
    assert [asset.name for asset in register.assets] == ["fw-a", "fw-c"]
    assert register.faults[0].startswith(f"assets.csv {fault}")
    assert all("; " in told and "\n" not in told for told in register.faults)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('name = "a"\nservice_until = 2027-06-30\nowner = "x"', "line 1, owner: there is no such field; use"),
        ('name = ["a"]\nservice_until = 2027-06-30', "line 1, name: it is neither text nor a date; write"),
        ('name = "a"\nservice_until = 2027-06-30T00:00:00', "line 1, service_until: it is neither text nor"),
    ],
)
def test_a_wrong_entry_of_toml_is_told_with_its_line(entry: str, fault: str) -> None:
    register = parse(f"[[assets]]\n{entry}\n", "assets.toml")
    assert register.faults[0].startswith(f"assets.toml {fault}")
    assert register.assets == ()


@pytest.mark.parametrize(
    ("source", "text", "words"),
    [
        ("assets.csv", "", "it is empty; write a heading"),
        ("assets.csv", HEADING, "it has no hardware; write a row"),
        (
            "assets.csv",
            "name;serial\na;b\n",
            "line 1: there is no field service_until; the heading is made of",
        ),
        (
            "assets.csv",
            "name;service_until;owner\n",
            "line 1: 'owner' is no field, or stands twice; the heading",
        ),
        (
            "assets.csv",
            "name;service_until;name\n",
            "line 1: 'name' is no field, or stands twice; the heading",
        ),
        ("assets.csv", f'{HEADING}"fw-a;;;\n', "line 2: not valid CSV"),
        ("assets.toml", "[[assets", "not valid TOML"),
        ("assets.toml", "[[asset]]\nname = 'a'", "write one table [[assets]] for each"),
        ("assets.toml", "assets = 1", "write one table [[assets]] for each"),
    ],
)
def test_a_register_that_cannot_be_used_is_refused_in_a_line(source: str, text: str, words: str) -> None:
    with pytest.raises(RegisterError) as caught:
        parse(text, source)
    assert words in str(caught.value)
    assert str(caught.value).startswith(source)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=200), st.sampled_from(["assets.csv", "assets.toml"]))
def test_any_text_is_a_register_or_a_line_that_says_why_not(text: str, source: str) -> None:
    told = ""
    try:
        register = parse(text, source)
        assert register.assets or register.faults
    except RegisterError as error:
        told = str(error)
    assert not told or told.startswith(source)


@given(st.lists(st.text(max_size=12), min_size=7, max_size=7))
def test_any_row_becomes_an_asset_or_faults(cells: list[str]) -> None:
    quoted = ";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells)
    register = parse(f"{HEADING}fw-a;;;;;2027-06-30;\n{quoted}\n", "assets.csv")
    left_out = not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#")
    assert left_out or len(register.assets) == 2 or register.faults
