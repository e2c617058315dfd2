"""The base install is enough for the status miner: what needs more is imported only where it is used."""

import subprocess
import sys

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import app.cli, app.up, app.check, app.organisation_work, app.report_command
try:
    import app.history
except ModuleNotFoundError as missing:
    print(missing.name)
"""


def test_all_but_history_and_reports_does_without_their_libraries() -> None:
    absent = {"numpy", "pandas", "pyarrow", "matplotlib", "jinja2", "gufo", "pysnmp", "asyncssh", "duckdb"}
    absent |= {"re2", "drain3"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(absent=absent)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "numpy\n"), done.stderr
