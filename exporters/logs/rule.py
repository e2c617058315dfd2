"""A rule: which lines tell something, and what is counted of them. docs/log-rules.md has the form."""

import math
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from exporters.logs.fields import Fields
from exporters.logs.patterns import Pattern, PatternError, compiled, literal
from exporters.logs.source import SOURCES

SHIPPED: Final = Path(__file__).parents[2] / "syslog" / "rules"
_REMEMBERED: Final = 1000
"""Texts whose class a rule remembers: most come again and again."""
OTHER: Final = "other"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{2,60}")


class RuleError(ValueError):
    """A rule is wrong; the text is one line that names the file, the rule and the mend."""


class Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value of the label `class`."""

    name: str
    pattern: str
    """What the field holds for it (RE2)."""


class Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the label `class` comes from: the first of `values` that fits, or a name in the field."""

    field: str | tuple[str, ...]
    """The field, or several."""
    values: tuple[Class, ...] = ()
    """Looked for in all of the fields."""
    names: str = ""
    """What the first field that is there must be, in whole, to be a value itself (RE2)."""
    most: int = 50
    """Names that have series of their own; the others are `other`."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as it stands in its file."""

    name: str
    meaning: str
    kind: Literal["counter", "gauge", "event"]
    """Counted; the last value of a field; or counted with the time of the last."""
    level: Literal["info", "warning", "critical"]
    source: str = ""
    """The source that it is for; the file's by default."""
    contains: str = ""
    """What a message must contain."""
    pattern: str = ""
    """Or what must be found in it (RE2)."""
    where: dict[str, str] = {}
    """Field -> what it must be, in whole, whatever its case (RE2)."""
    classes: Classes | None = msgspec.field(default=None, name="class")
    general: bool = False
    """Whether its lines may be of any kind: warnings and errors among them count as unknown all the same."""
    value: str = ""
    """For a gauge: the field, or a pattern with one group for the number in the text."""


class Compiled:
    """A rule with its patterns ready."""

    def __init__(self, rule: Rule) -> None:
        """Raises RuleError."""
        self.rule = rule
        self.gate = rule.pattern or literal(rule.contains)
        self._compile("pattern", self.gate)
        self._where = {
            name.lower(): self._compile(f"where.{name}", f"(?i){text}") for name, text in rule.where.items()
        }
        classes = rule.classes
        self._fields: tuple[str, ...] = ()
        self._known: dict[tuple[str, ...], str] = {}
        self._values: list[tuple[str, Pattern]] = []
        self._names: Pattern | None = None
        if classes is not None:
            named = (classes.field,) if isinstance(classes.field, str) else classes.field
            self._fields = tuple(map(str.lower, named))
            self._values = [
                (one.name, self._compile(f"class {one.name}", f"(?i){one.pattern}")) for one in classes.values
            ]
            self._names = self._compile("class.names", classes.names) if classes.names else None
        self._number = self._compile("value", rule.value) if "(" in rule.value else None
        if self._number is not None and self._number.groups != 1:
            raise RuleError(f"{rule.name}: value has not one group for the number; mend it")

    def _compile(self, key: str, pattern: str) -> Pattern:
        try:
            return compiled(pattern)
        except PatternError as error:
            raise RuleError(f"{self.rule.name}: {key} is no RE2 pattern: {error}; mend it") from None

    def holds(self, fields: Fields) -> bool:
        """Whether the fields are as `where` has them."""
        return not self._where or all(
            pattern.fullmatch(fields.get(name)) for name, pattern in self._where.items()
        )

    def class_of(self, fields: Fields) -> str:
        """The value of the label `class`; empty for a rule without classes.

        One of the rule's values, a name that fits `names`, or `other`.
        """
        if not self._fields:
            return ""
        texts = tuple(map(fields.get, self._fields))
        known = self._known.get(texts)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[texts] = self._class_of(texts)
        return known

    def _class_of(self, all_texts: tuple[str, ...]) -> str:
        texts = tuple(filter(None, all_texts))
        joined = " ".join(texts)
        for name, pattern in self._values:
            if pattern.search(joined):
                return name
        return texts[0] if self._names is not None and texts and self._names.fullmatch(texts[0]) else OTHER

    def number(self, fields: Fields) -> float | None:
        """The value of a gauge; None where there is no number."""
        text: str | None = fields.get(self.rule.value.lower())
        if self._number is not None:
            found = self._number.search(fields.get("text"))
            text = found[1] if found else None
        try:
            number = float(text) if text else math.nan
        except ValueError:
            return None
        return number if math.isfinite(number) else None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rules: tuple[Rule, ...]
    source: str = ""


def parse(text: str, name: str) -> list[Compiled]:
    """The rules of a file. Raises RuleError."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        words = " ".join(str(error).split())
        raise RuleError(f"{name}: {words}; docs/log-rules.md has the form") from None
    return [_checked(rule, file.source, name) for rule in file.rules]


def _checked(rule: Rule, usual_source: str, name: str) -> Compiled:
    rule = msgspec.structs.replace(rule, source=rule.source or usual_source)
    faults = (
        (not _NAME.fullmatch(rule.name), "name has other than small letters, digits and _"),
        (rule.source not in SOURCES, f"source is none of {', '.join(SOURCES)}"),
        (bool(rule.contains) == bool(rule.pattern), "contains and pattern: set one of them"),
        ((rule.kind == "gauge") != bool(rule.value), "value goes with the kind gauge, and with no other"),
        (not rule.meaning, "meaning is empty"),
    )
    for is_wrong, words in faults:
        if is_wrong:
            raise RuleError(f"{name}: rule {rule.name!r}: {words}; mend it")
    try:
        return Compiled(rule)
    except RuleError as error:
        raise RuleError(f"{name}: rule {error}") from None


def load(*folders: Path) -> list[Compiled]:
    """The rules of all files of some folders; a rule of a later folder takes the place of one of its name.

    Raises RuleError.
    """
    found: dict[str, Compiled] = {}
    for folder in folders:
        here: set[str] = set()
        for path in _files(folder):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise RuleError(f"cannot read {path}: {reason}; check the file and its rights") from None
            for one in parse(text, str(path)):
                if one.rule.name in here:
                    raise RuleError(f"{path}: rule {one.rule.name!r} is there twice; rename one")
                here.add(one.rule.name)
                found[one.rule.name] = one
    return list(found.values())


def _files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise RuleError(f"{folder} is no folder; name one with rules, files that end in .toml")
    return sorted(folder.glob("*.toml"))
