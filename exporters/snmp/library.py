"""All modules: the files that come with VDX Watch, and those of a folder of one's own, read and checked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from exporters.snmp.module import Module, ModuleError, ModuleFile, Object, Sensor, Table

FOLDER: Final = Path(__file__).with_name("modules")
_BASE_LABELS: Final = ("device", "site")
"""Labels that every series has."""


def _read(path: Path) -> ModuleFile:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=ModuleFile)
    except OSError as error:
        raise ModuleError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModuleError(f"{path}: {error}; docs/snmp.md describes the form") from None


def _check(path: Path, file: ModuleFile) -> None:
    for name, scalar in file.scalars.items():
        if isinstance(scalar.oid, int):
            raise ModuleError(
                f"{path}: scalar {name} has the oid {scalar.oid}; write it whole, with .0 at its end"
            )
        if scalar.health and scalar.health.only:
            raise ModuleError(f"{path}: scalar {name} has health.only, which is for tables; remove it")
    for name, table in file.tables.items():
        for wanted, known in _references(table):
            if wanted not in known:
                raise ModuleError(f"{path}: table {name} refers to {wanted}, which it does not have; add it")
        own = (column for column, what in table.columns.items() if what.type in ("text", "mac", "info"))
        names = Counter((*_BASE_LABELS, *table.index_names, *table.labels, *own))
        if doubled := [label for label, times in names.items() if times > 1]:
            raise ModuleError(f"{path}: table {name} has the label {doubled[0]} twice; rename one")
        for pattern in table.sensor.unit_patterns if table.sensor else ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ModuleError(
                    f"{path}: table {name}: unit pattern {pattern!r}: {error}; mend it"
                ) from None


def _references(table: Table) -> Iterator[tuple[str, Iterable[str]]]:
    """What parts of a table refer to, with where that has to be."""
    columns, cells = table.columns, {*table.columns, *table.labels}
    for label in table.labels.values():
        yield from ((part, table.index_names) for part in label.on)
    for column in columns.values():
        yield from ((other, columns) for other in (column.health.only if column.health else ()))
    if table.name:
        yield table.name, cells
    if sensor := table.sensor:
        yield from ((name, columns) for name in (sensor.value, *sensor.only))
        yield from ((name, cells) for name in _sensor_columns(sensor))


def _sensor_columns(sensor: Sensor) -> list[str]:
    return [name for name in (sensor.unit_column, sensor.exponent_column, sensor.precision_column) if name]


class Modules:
    """All modules: those that come with VDX Watch, and those of a folder of one's own, which win."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises ModuleError."""
        self._files: dict[str, ModuleFile] = {}
        self._aliases: dict[str, str] = {}
        for path in _paths((FOLDER, *((folder,) if folder else ()))):
            file = _read(path)
            _check(path, file)
            self._files[path.stem] = file
            self._aliases |= dict.fromkeys(file.aliases, path.stem)
        self._modules = {name: self._whole(name) for name in self._files}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all modules, without aliases."""
        return tuple(sorted(self._modules))

    def get(self, name: str) -> Module:
        """A module by its name or an alias. Raises ModuleError that lists those that exist."""
        module = self._modules.get(self._aliases.get(name, name))
        if module is None:
            raise ModuleError(f"there is no module {name!r}; there are {', '.join(self.names)}")
        return module

    def joined(self, names: Sequence[str]) -> Module:
        """Several modules as one. Raises ModuleError."""
        if len(names) == 1:
            return self.get(names[0])
        return _joined("+".join(names), [self.get(name) for name in names], ModuleFile("", ""))

    def _whole(self, name: str, above: tuple[str, ...] = ()) -> Module:
        if name in above:
            raise ModuleError(f"module {name} includes itself by way of {', '.join(above)}; remove one")
        file = self._files.get(name)
        if file is None:
            raise ModuleError(
                f"module {above[-1] if above else ''} includes {name}, which does not exist; "
                f"there are {', '.join(sorted(self._files))}"
            )
        return _joined(name, [self._whole(part, (*above, name)) for part in file.includes], file)


def _joined(name: str, parts: Iterable[Module], file: ModuleFile) -> Module:
    scalars: dict[str, Object] = {}
    tables: dict[str, Table] = {}
    for part in parts:
        scalars |= part.scalars
        tables |= part.tables
    module = Module(name, file.title, scalars | file.scalars, tables | file.tables, file.identity)
    columns = (column for table in module.tables.values() for column in table.columns)
    names = Counter((*module.scalars, *columns))
    if doubled := [column for column, times in names.items() if times > 1]:
        raise ModuleError(f"module {name} has {doubled[0]} twice; a metric has one source, remove one")
    known = {*module.scalars, *(name for table in module.tables.values() for name in table.columns)}
    identity = file.identity
    for wanted in (
        *(*identity.serial, *identity.model, *identity.version),
        *(*identity.rows, *identity.version_rows),
    ):
        if wanted not in known:
            raise ModuleError(
                f"module {module.name}: identity refers to {wanted}, which it does not have; add it"
            )
    for table_name, table in module.tables.items():
        if table.instead_of and table.instead_of not in module.tables:
            raise ModuleError(
                f"module {module.name}: table {table_name} is instead of {table.instead_of}, "
                "which it does not have; add it"
            )
    return module


def _paths(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise ModuleError(f"{folder}: there is no such folder; name one with modules as .toml files")
        yield from sorted(folder.glob("*.toml"))
