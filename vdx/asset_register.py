"""Reads the register of hardware: a CSV or TOML text becomes assets, and a line for each fault.

docs/hardware-life.md has the form of the file.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from vdx.assets import Asset, Register, serial_key

FIELDS: Final = ("name", "device", "model", "serial", "bought", "service_until", "location")
REQUIRED: Final = ("name", "service_until")
TABLE: Final = "assets"
COMMENT: Final = "#"
YEARS: Final = (1990, 2100)
"""A date outside is a slip of the pen."""


class RegisterError(Exception):
    """The register cannot be used at all; one line that names the file and ends with the mend."""


_Cells: TypeAlias = tuple[str, dict[str, Any]]
"""Where a row stands, such as `line 3`, and its values by field."""


def parse(text: str, source: str, devices: Mapping[str, str] | None = None) -> Register:
    """The register from the text of a CSV file, or of a TOML file where `source` ends with .toml.

    `devices` are those of the settings with their sites: a row must name one of them or none, and stands
    where its device does unless it says otherwise. Raises RegisterError.
    """
    text = text.removeprefix("\ufeff")
    rows = _toml(text, source) if source.lower().endswith(".toml") else _csv(text, source)
    assets: list[Asset] = []
    faults: list[str] = []
    names: dict[str, str] = {}
    serials: dict[str, str] = {}
    for place, cells in rows:
        found = list(_faults(cells, devices))
        name, serial = _text(cells, "name"), _text(cells, "serial")
        if name and name in names:
            found.append(f"name: {name!r} stands on {names[name]} already; give each its own name")
        if serial and serial_key(serial) in serials:
            found.append(
                f"serial: {serial!r} stands on {serials[serial_key(serial)]} already; correct one of them"
            )
        names.setdefault(name, place)
        serials.setdefault(serial_key(serial), place)
        if found:
            faults += [f"{source} {place}, {fault}" for fault in found]
        else:
            assets.append(_asset(cells, devices or {}))
    if not names:
        raise RegisterError(f"{source}: it has no hardware; write a row for each piece")
    return Register(tuple(assets), tuple(faults))


def _csv(text: str, source: str) -> Iterator[_Cells]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_separator(text), strict=True, skipinitialspace=True)
    heading: list[str] = []
    try:
        begin = 1
        for row in reader:
            place, begin = f"line {begin}", reader.line_num + 1
            if not any(map(str.strip, row)) or row[0].lstrip().startswith(COMMENT):
                continue
            if not heading:
                heading = _heading([cell.strip().lower() for cell in row], f"{source} {place}")
            elif len(row) > len(heading) and any(map(str.strip, row[len(heading) :])):
                yield place, {"": len(row)}
            else:
                yield place, dict(zip(heading, row, strict=False))
    except csv.Error as error:
        raise RegisterError(
            f"{source} line {reader.line_num}: not valid CSV: {error}; check the quotation marks there"
        ) from None
    if not heading:
        raise RegisterError(f"{source}: it is empty; write a heading {';'.join(FIELDS)} and a line for each")


def _heading(heading: list[str], place: str) -> list[str]:
    while heading and not heading[-1]:
        heading.pop()
    wrong = [name for name in heading if name not in FIELDS or heading.count(name) > 1]
    missing = [name for name in REQUIRED if name not in heading]
    if wrong or missing:
        what = f"{wrong[0]!r} is no field, or stands twice" if wrong else f"there is no field {missing[0]}"
        raise RegisterError(f"{place}: {what}; the heading is made of {', '.join(FIELDS)}")
    return heading


def _separator(text: str) -> str:
    """Semicolon or comma, whichever the first row has more of: Excel writes semicolons in Denmark."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(COMMENT):
            return ";" if line.count(";") >= line.count(",") else ","
    return ";"


def _toml(text: str, source: str) -> Iterator[_Cells]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{source}: not valid TOML: {error}; correct it there") from None
    entries = document.pop(TABLE, None)
    if not isinstance(entries, list) or document:
        raise RegisterError(f"{source}: write one table [[{TABLE}]] for each piece of hardware, and no more")
    lines = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(rf"(?m)^ *\[\[ *{TABLE}", text)]
    for number, entry in enumerate(entries, 1):
        place = f"line {lines[number - 1]}" if len(lines) == len(entries) else f"entry {number}"
        yield place, entry if isinstance(entry, dict) else {"": 0}


def _text(cells: Mapping[str, Any], field: str) -> str:
    """A field as one line of text."""
    return " ".join(str(cells.get(field, "")).split())


def _faults(cells: Mapping[str, Any], devices: Mapping[str, str] | None) -> Iterator[str]:
    """What is wrong with a row by itself, each with its field and its mend."""
    if "" in cells:
        yield f"all: the row does not have the {len(FIELDS)} fields of the heading; compare the separators"
        return
    for field in (field for field in cells if field not in FIELDS):
        yield f"{field}: there is no such field; use {', '.join(FIELDS)}"
    for field, value in cells.items():
        if type(value) not in (str, int, date):
            yield f"{field}: it is neither text nor a date; write it in quotation marks"
    for field in REQUIRED:
        if not _text(cells, field):
            yield f"{field}: it is empty; write it"
    for field in ("bought", "service_until"):
        value = _text(cells, field)
        if value and _date(value) is None:
            yield f"{field}: {value[:40]!r} is no date of {YEARS[0]} to {YEARS[1]}; write it as 2025-06-30"
    bought, until = (_date(_text(cells, field)) for field in ("bought", "service_until"))
    if bought and until and until < bought:
        yield f"service_until: {until} is before it was bought, {bought}; correct one of them"
    device = _text(cells, "device")
    if device and devices is not None and device not in devices:
        yield f"device: there is no [devices.{device}] in the settings; add it, or leave the field empty"


def _date(value: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if YEARS[0] <= day.year <= YEARS[1] else None


def _asset(cells: Mapping[str, Any], devices: Mapping[str, str]) -> Asset:
    until = _date(_text(cells, "service_until"))
    assert until is not None  # noqa: S101 - `_faults` has seen to it
    device = _text(cells, "device")
    return Asset(
        name=_text(cells, "name"),
        service_until=until,
        device=device,
        model=_text(cells, "model"),
        serial=_text(cells, "serial"),
        bought=_date(_text(cells, "bought")),
        location=_text(cells, "location") or devices.get(device, ""),
    )
