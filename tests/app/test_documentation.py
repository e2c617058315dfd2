"""The pages that are generated say what the code says."""

from app.documentation import FILE, settings_page
from vdx.settings import Settings


def test_docs_settings_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == settings_page(), "run: python -m app.documentation"


def test_every_setting_has_a_meaning() -> None:
    for section, field in Settings.model_fields.items():
        for key, value in field.annotation.model_fields.items():  # type: ignore[union-attr]
            assert value.description, f"{section}.{key}"
