"""Settings: where they come from, and that each mistake names itself and its mend."""

from pathlib import Path

import pytest

from vdx.settings import SettingsError, load, read_secret


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "vdx.toml"


def test_without_a_file_the_design_s_defaults_hold(write: Path) -> None:
    settings = load()
    assert (settings.licenses.ports, settings.hardware.ports, settings.pstn.lines) == (1500, 5100, 40)
    assert (settings.pexip.interval_seconds, settings.pexip.page_size) == (30, 5000)
    assert settings.server.listen == "127.0.0.1:9870"
    assert settings.web.listen == "127.0.0.1:8080"
    assert (settings.sla.target, settings.sla.time_zone) == (0.995, "Europe/Copenhagen")


def test_a_variable_wins_over_the_file_and_the_rest_of_its_section_stays(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write.write_text('[pexip]\nurl = "https://file"\nusername = "reader"\n')
    monkeypatch.setenv("VDX_PEXIP__URL", "https://variable")
    monkeypatch.setenv("VDX_LOCATIONS__CENTRAL", "East, West")
    monkeypatch.setenv("VDX_LOCATIONS__DATA_CENTRES", "A=East;B=West,North")
    settings = load()
    assert settings.pexip.url == "https://variable"
    assert settings.pexip.username == "reader"
    assert settings.locations.central == ("East", "West")
    assert settings.locations.data_centre("North") == "B"
    assert settings.locations.data_centre("Odense") == ""
    assert [settings.locations.tier(name) for name in ("East", "Odense")] == ["central", "decentral"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[pexip]\nusrname = 'a'", "pexip.usrname: there is no such setting; did you mean pexip.username?"),
        ("[licences]\nports = 1", "licences: there is no such setting; did you mean licenses?"),
        ("[pexip]\nzzz = 1", "pexip.zzz: there is no such setting; remove it"),
        ("[server]\nlisten = '9870'", "server.listen: write it as address:port"),
        ("[server]\nusername = 'a'", "server: username and password_file go together"),
        ("[server]\ntls_key_file = 'a'", "server: tls_certificate_file and tls_key_file go together"),
        (
            "[pexip]\ninterval_seconds = 0",
            "pexip.interval_seconds: input should be greater than or equal to 5",
        ),
        ("[sla]\ntime_zone = 'Mars'", "sla.time_zone: 'Mars' is not a time zone"),
        ("[pstn]\npattern = '('", "pstn.pattern: it is not a regular expression"),
        ("[pstn]\naddresses = ['1.2.3']", "pstn.addresses: '1.2.3' is not an address"),
        ("[pexip", "not valid TOML"),
    ],
)
def test_a_mistake_names_itself_and_the_mend(write: Path, text: str, message: str) -> None:
    write.write_text(text)
    with pytest.raises(SettingsError, match=r"^[^\n]+$") as caught:
        load()
    assert message in str(caught.value)


def test_every_mistake_is_told_at_once(write: Path) -> None:
    write.write_text("[pexip]\nurll = 'a'\n[sla]\ntarget = 2\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert len(str(caught.value).splitlines()) == 2


def test_an_unknown_variable_is_told_with_the_nearest_section(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VDX_PEXPI__URL", "https://x")
    with pytest.raises(SettingsError, match=r"variable VDX_PEXPI__URL: pexpi: .*did you mean pexip\?"):
        load()


def test_a_named_file_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none.toml: cannot be read"):
        load(tmp_path / "none.toml")


def test_a_password_never_shows(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VDX_PEXIP__PASSWORD", "hemmelig")
    monkeypatch.setenv("VDX_PEXIP__INTERVAL_SECONDS", "never")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "hemmelig" not in str(caught.value)
    monkeypatch.delenv("VDX_PEXIP__INTERVAL_SECONDS")
    settings = load()
    assert "hemmelig" not in repr(settings)
    assert settings.pexip.read_password() == "hemmelig"


def test_a_secret_is_the_file_s_text_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hemmelig\n")
    assert read_secret("pexip.password_file", file) == "hemmelig"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_an_unusable_secret_file_names_its_setting(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^pexip\.password_file: ") as caught:
        read_secret("pexip.password_file", file)
    assert "\n" not in str(caught.value)
