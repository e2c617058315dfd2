"""The organisations of the stand-in VDX, as the JSON file that the organisation miner reads."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

from simulator.estate import DOMAIN, ORGANISATIONS, SUBJECTS, Room, rooms

OWNERS: Final = {"region": "Danske Regioner", "kommune": "Kommunerne", "stat": "Staten"}
"""Beginning of a service tag -> the owner at the top of the tree."""
OWNER_KINDS: Final = {"region": "region", "kommune": "municipality", "stat": "state institution"}

BY_ROOMS: Final = ("kommune-randers", "kommune-koege")
"""They claim their rooms by name, and no service tag."""
BY_DOMAIN: Final = ("kommune-herning", "kommune-vejle", "stat-serum")
"""They claim the domain of their gateway calls, and no service tag."""
UNCLAIMED: Final = ("kommune-struer",)
"""Nobody claims their calls."""
BY_ALIASES: Final = "region-nordjylland"
"""Its interpreters claim some rooms by alias, of organisations that claim no service tag: a tag that is
claimed would decide first."""
INTERPRETERS: Final = "Tolkecentral"
CLAIMED_ALIASES: Final = 5

LARGE: Final = (
    "kommune-aarhus",
    "kommune-aalborg",
    "kommune-odense",
    "kommune-esbjerg",
    "kommune-koebenhavn",
)
"""Municipalities with departments; every region has some."""

_NAMES: Final = {
    "kommune-koebenhavn": "Københavns Kommune",
    "kommune-bornholm": "Bornholms Regionskommune",
    "kommune-broenderslev": "Brønderslev Kommune",
    "kommune-hjoerring": "Hjørring Kommune",
    "kommune-soenderborg": "Sønderborg Kommune",
    "kommune-toender": "Tønder Kommune",
    "kommune-koege": "Køge Kommune",
    "kommune-naestved": "Næstved Kommune",
    "kommune-holbaek": "Holbæk Kommune",
    "kommune-helsingoer": "Helsingør Kommune",
    "kommune-hilleroed": "Hillerød Kommune",
    "kommune-taarnby": "Tårnby Kommune",
    "stat-sundhedsdata": "Sundhedsdatastyrelsen",
    "stat-kriminalforsorg": "Kriminalforsorgen",
    "stat-serum": "Statens Serum Institut",
    "stat-patientombud": "Patientombuddet",
    "stat-medcom": "MedCom",
}

Row = dict[str, str]


def organisations(seed: int = 1) -> dict[str, list[Row]]:
    """The source: the owners at the top, organisations by their service tag, departments and units."""
    return {"organisations": list(_tree(seed)), "claims": list(_claims(seed))}


def write(path: Path, seed: int = 1) -> None:
    """Writes it to a file, whole or not at all. Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(organisations(seed), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _name(tag: str, home: str) -> str:
    if tag.startswith("region-"):
        return home
    return _NAMES.get(tag) or f"{tag.partition('-')[2].capitalize()} Kommune"


def _row(key: str, parent: str, name: str, kind: str) -> Row:
    return {"key": key, "parent": parent, "name": name, "type": kind}


def _tree(seed: int) -> Iterator[Row]:
    for owner in OWNERS.values():
        yield _row(owner, "", owner, "owner")
    random = Random(f"organisations {seed}")
    for tag, home in ORGANISATIONS:
        family = tag.partition("-")[0]
        yield _row(tag, OWNERS[family], _name(tag, home), OWNER_KINDS[family])
        if family == "region" or tag in LARGE:
            subjects = random.sample(SUBJECTS[:-3], random.randint(3, 6))
            if tag == BY_ALIASES and INTERPRETERS not in subjects:
                subjects[0] = INTERPRETERS
            yield from _departments(random, tag, subjects)


def _departments(random: Random, tag: str, subjects: Sequence[str]) -> Iterator[Row]:
    for subject in subjects:
        key = f"{tag}/{subject.lower()}"
        yield _row(key, tag, subject, "department")
        for number in range(1, random.choice((0, 0, 2, 3)) + 1):
            yield _row(f"{key}/{number}", key, f"{subject} afsnit {number}", "unit")


def _claims(seed: int) -> Iterator[Row]:
    for tag, _ in ORGANISATIONS:
        if tag in BY_DOMAIN:
            yield _claim("domain", f"{tag}.{DOMAIN}", tag)
        elif tag in BY_ROOMS:
            yield from (_claim("room", room.name, tag) for room in _rooms_of(seed, (tag,)))
        elif tag not in UNCLAIMED:
            yield _claim("tag", tag, tag)
    interpreters = f"{BY_ALIASES}/{INTERPRETERS.lower()}"
    for room in _rooms_of(seed, BY_DOMAIN)[:CLAIMED_ALIASES]:
        yield _claim("alias", room.alias, interpreters)


def _claim(kind: str, value: str, key: str) -> Row:
    return {"kind": kind, "value": value, "organisation": key}


def _rooms_of(seed: int, tags: Sequence[str]) -> list[Room]:
    return [room for room in rooms(seed) if room.tag in tags]
