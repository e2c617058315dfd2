"""Exporters for tests: texts as their documentation shows them, and the real ones that Debian has."""

import base64
import contextlib
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.databases import MariaDB, free_port

ANSWERS = Path(__file__).with_name("answers")
TOKEN = "tavshed"
USERNAME, PASSWORD = "prometheus", "hemmelig"


def answer(kind: str) -> str:
    """The text of an exporter that Debian does not have."""
    return (ANSWERS / f"{kind}.txt").read_text()


Respond = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(respond: Respond, certificate: Path | None = None) -> Iterator[str]:
    """A web server whose GET requests `respond` answers; its host:port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                respond(self)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(
    request: BaseHTTPRequestHandler, body: str, status: int = 200, kind: str = "text/plain; version=0.0.4"
) -> None:
    """Answers a request."""
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.end_headers()
    request.wfile.write(body.encode())


def documented(request: BaseHTTPRequestHandler) -> None:
    """Each text at /KIND; Keycloak and the kubelet ask who is there, VMware's wants a target."""
    url = urlsplit(request.path)
    kind = url.path.removeprefix("/")
    login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    wanted = {"keycloak": f"Basic {login}", "kubelet": f"Bearer {TOKEN}"}.get(kind)
    if wanted is not None and request.headers["Authorization"] != wanted:
        send(request, "who are you?", 401)
    elif kind == "vmware" and parse_qs(url.query).get("target") != ["vcenter.example.org"]:
        send(request, "no target", 500)
    else:
        send(request, answer(kind))


@contextlib.contextmanager
def running(
    command: Sequence[str], url: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A program that runs until the end of the block, once `url` answers."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                httpx.get(url, timeout=1, trust_env=False).raise_for_status()
            except httpx.HTTPError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """An NGINX with a page and /stub_status; its host:port."""
    address = f"127.0.0.1:{free_port()}"
    paths = "".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {folder / 'nginx.pid'}; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n"
        f"server {{ listen {address}; location = / {{ return 200; }}\n"
        "location = /stub_status { stub_status; } } }\n"
    )
    command = ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    with running(command, f"http://{address}/", folder):
        yield address


@contextlib.contextmanager
def debian_exporters(folder: Path, database: MariaDB, web: str) -> Iterator[dict[str, str]]:
    """The exporters that Debian has, by kind; blackbox among them."""
    account = folder / "exporter.cnf"
    account.touch(mode=0o600)
    account.write_text(
        f"[client]\nuser={database.user}\npassword={database.password}\nhost=127.0.0.1\nport={database.port}\n"
    )
    commands = {
        "node": ["prometheus-node-exporter", f"--collector.textfile.directory={folder}"],
        "mysqld": ["prometheus-mysqld-exporter", f"--config.my-cnf={account}"],
        "nginx": ["prometheus-nginx-exporter", f"-nginx.scrape-uri=http://{web}/stub_status"],
        "blackbox": ["prometheus-blackbox-exporter", "--config.file=/etc/prometheus/blackbox.yml"],
    }
    with contextlib.ExitStack() as stack:
        addresses: dict[str, str] = {}
        for kind, command in commands.items():
            address = addresses[kind] = f"127.0.0.1:{free_port()}"
            dashes = "-" if kind == "nginx" else "--"
            listen = f"{dashes}web.listen-address={address}"
            stack.enter_context(running([*command, listen], f"http://{address}/metrics", folder))
        yield addresses
