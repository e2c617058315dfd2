"""docs/settings.md, generated from the settings: `python -m app.documentation`."""

from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from vdx.settings import PREFIX, Settings

FILE: Final = Path(__file__).parent.parent / "docs" / "settings.md"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value in (None, "", (), {}):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


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
        model: Any = field.annotation
        lines += ["", f"## [{section}]", "", (model.__doc__ or "").strip(), ""]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        for key, value in model.model_fields.items():
            lines.append(f"| `{key}` | {_default(value)} | {value.description or ''} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(settings_page(), encoding="utf-8")
