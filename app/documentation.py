"""docs/settings.md, generated from the settings: `python -m app.documentation`."""

from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic.fields import FieldInfo

from vdx.settings import PREFIX, Settings

FILE: Final = Path(__file__).parent.parent / "docs" / "settings.md"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.is_required():
        return "required"
    if value in (None, "", (), {}):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _chapter(section: str, model: Any) -> list[str]:
    lines = ["", f"## [{section}]", "", (model.__doc__ or "").strip(), ""]
    lines += ["| key | default | meaning |", "|---|---|---|"]
    tables: list[str] = []
    for key, field in model.model_fields.items():
        if get_origin(field.annotation) is dict and hasattr(get_args(field.annotation)[1], "model_fields"):
            tables += _chapter(f"{section}.{key}.NAME", get_args(field.annotation)[1])
        else:
            meaning = " ".join((field.description or "").split())
            lines.append(f"| `{key}` | {_default(field)} | {meaning} |")
    return lines + tables


def settings_page() -> str:
    """The page, in Markdown."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m app.documentation`; do not edit.",
        "",
        "Settings come from `vdx.toml` in the working folder (or `--settings FILE`) and from variables",
        f"`{PREFIX}SECTION__KEY`, which win. A key that does not exist is an error that names the nearest.",
    ]
    for section, field in Settings.model_fields.items():
        named = get_args(field.annotation)
        lines += _chapter(f"{section}.NAME" if named else section, named[1] if named else field.annotation)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(settings_page(), encoding="utf-8")
