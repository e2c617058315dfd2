"""The pages that are generated say what the code says."""

from typing import Any, get_args

from app.documentation import FILE, settings_page
from vdx.settings import Settings


def test_docs_settings_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == settings_page(), "run: python -m app.documentation"


def _check(section: str, model: Any) -> None:
    for key, field in model.model_fields.items():
        models = [
            part for part in (field.annotation, *get_args(field.annotation)) if hasattr(part, "model_fields")
        ]
        assert models or field.description, f"{section}.{key}"
        for part in models:
            assert part.__doc__, f"{section}.{key}"
            _check(f"{section}.{key}", part)


def test_every_setting_has_a_meaning() -> None:
    _check("settings", Settings)
