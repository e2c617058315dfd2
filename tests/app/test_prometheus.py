"""The configuration for the Prometheus beside `vdx up`."""

import json
import subprocess
from pathlib import Path

import pytest

from app.prometheus import configuration
from exporters.estate.target import own_job
from vdx.settings import ServerSettings


@pytest.mark.parametrize(
    ("listen", "target"),
    [
        ("127.0.0.1:9870", "127.0.0.1:9870"),
        ("0.0.0.0:9870", "127.0.0.1:9870"),
        ("[::]:9870", "[::1]:9870"),
        ("[::1]:9870", "[::1]:9870"),
        ("10.0.0.7:443", "10.0.0.7:443"),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
def test_it_scrapes_what_the_exporter_listens_on_and_loads_the_rules(
    listen: str, target: str, tls: bool, tmp_path: Path
) -> None:
    password, certificate = tmp_path / "password", tmp_path / "certificate.pem"
    password.write_text("geheim")
    files = {"tls_certificate_file": certificate, "tls_key_file": certificate} if tls else {}
    settings = ServerSettings.model_validate({"username": "prometheus", "password_file": password, **files})
    text = configuration([own_job("vdx", settings, 30, listen)], 30)
    content = json.loads(text)
    (job,) = content["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [target]
    assert job["scheme"] == ("https" if tls else "http")
    assert "geheim" not in text
    assert list(Path("/").glob(content["rule_files"][0].lstrip("/")))
    file = tmp_path / "prometheus.yml"
    file.write_text(text)
    checked = subprocess.run(
        ["promtool", "check", "config", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
