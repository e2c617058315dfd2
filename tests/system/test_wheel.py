"""The wheel alone, in an environment outside the checkout, is the whole program."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.exporters.logs.lines import SIP_FAILURE, line, write
from tests.system.commands import environment, run_vdx, running_vdx, until

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `vdx` of an environment with the wheel, and the dependencies of this one but not the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT],
        check=True,
        capture_output=True,
        env=environment(),
    )
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.startswith(("vdx_watch", "_editable")):
            (dependencies / path.name).symlink_to(path)
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "venv" / "bin" / "vdx"


def test_it_helps(installed: Path, tmp_path: Path) -> None:
    result = run_vdx("--help", folder=tmp_path, program=installed)
    assert result.returncode == 0, result.stderr
    assert "status-miner" in result.stdout


def test_it_runs_the_demonstration_with_its_page_and_its_database(installed: Path, tmp_path: Path) -> None:
    with running_vdx("up", "--demo", folder=tmp_path, program=installed) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        until(f"{url}/metrics", r"^pexip_up 1")
        until(f"{url}/metrics", r"^vdx_store_up 1")
        page = vdx.wait_for(r"live page: (\S+)/")
        text = until(page, "Region Nordjylland")
        assert "static/" in text
        assert vdx.stop() == 0
    where = subprocess.run(
        [installed.parent / "python", "-c", "import app, simulator; print(app.__file__, simulator.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(CHECKOUT) not in where


def test_it_has_the_rules_for_log_lines(installed: Path, tmp_path: Path) -> None:
    write(tmp_path / "data" / "logs", line(SIP_FAILURE))
    done = run_vdx("log-exporter", "--once", folder=tmp_path, program=installed)
    assert done.returncode == 0, done.stderr
    assert "event pexip_sip_failure tls conf01 1" in done.stdout
