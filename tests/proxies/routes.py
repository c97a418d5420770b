"""Ways through real proxies to a server of our own, with the configurations that are shipped and with others."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blackbox.harness import Clients, Server, eventually

DEPLOY = Path(__file__).parents[2] / "deploy"

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {site}
}}
"""


NGINX_DEFAULTS = "server { listen 80; client_max_body_size 0; location / { proxy_pass http://127.0.0.1:8080; } }"
CADDY = str(Path(sys.executable).with_name("caddy"))  # Debian 12 has one that hides broken streams
SHIPPED = "flush_interval 1ms"
CADDY_OPTIONS = "{\n\tadmin off\n\tauto_https off\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Proxy:
    """One proxy process, and clients that go through it."""

    def __init__(self, command: list[str], port: int, log: Path, scheme: str = "http") -> None:
        home = {"XDG_CONFIG_HOME": str(log.parent), "XDG_DATA_HOME": str(log.parent)}  # Caddy keeps things there
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={**os.environ, **home}
            )
        assert eventually(lambda: self._accepts(port)), log.read_text()
        self.clients = Clients(f"{scheme}://127.0.0.1:{port}")

    def _accepts(self, port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        self.clients.close()
        self.process.terminate()
        self.process.wait(10)


def nginx(folder: Path, server: Server, site: str = "", **changes: str) -> Proxy:
    """nginx with the shipped site, or with another; `changes` replace words of it."""
    port = free_port()
    text = site or (DEPLOY / "nginx.conf").read_text()
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("127.0.0.1:8080", server.address)
    for old, new in changes.items():
        text = text.replace(f"{old} 1h;", f"{old} {new};")
    folder.chmod(0o755)  # its workers are another user
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, site=text))
    return Proxy(["nginx", "-c", str(file)], port, folder / "nginx.log")


def haproxy(folder: Path, server: Server, tls: bool = False, timeout: str = "1h", without: str = "\0") -> Proxy:
    """HAProxy with the shipped configuration, or without something; with `tls` it speaks HTTP/2 to clients."""
    port = free_port()
    bind = f"bind 127.0.0.1:{port}"
    if tls:
        bind += f" ssl crt {certificate(folder)} alpn h2,http/1.1"
    text = (DEPLOY / "haproxy.cfg").read_text().replace(without, "")
    text = text.replace("bind :80", bind, 1).replace("127.0.0.1:8080", server.address).replace("1h ", timeout + " ")
    file = folder / "haproxy.cfg"
    file.write_text(text)
    return Proxy(["haproxy", "-db", "-f", str(file)], port, folder / "haproxy.log", "https" if tls else "http")


def caddy(
    folder: Path, server: Server, tls: bool = False, program: str = CADDY, proxy: str = SHIPPED, timeout: str = "1h"
) -> Proxy:
    """Caddy with the shipped site; with `tls` it speaks HTTP/2 to clients, and `proxy` goes into its reverse_proxy."""
    port, scheme = free_port(), "https" if tls else "http"
    opening = f"{scheme}://127.0.0.1:{port} {{\n"
    if tls:
        file = certificate(folder)
        opening += f"\ttls {file} {file}\n"
    text = (DEPLOY / "Caddyfile").read_text().replace(SHIPPED, proxy).replace("idle 1h", f"idle {timeout}")
    text = text.replace("pipe.example {\n", opening).replace("127.0.0.1:8080", server.address)
    text = text.replace("\n{\n", "\n" + CADDY_OPTIONS, 1)
    if program != CADDY:  # it knows no such timeouts
        text = text[: text.index("\tservers {")] + text[text.index("}\n\n" + opening) :]
    config = folder / "Caddyfile"
    config.write_text(text)
    command = [program, "run", "--adapter", "caddyfile", "--config", str(config)]
    return Proxy(command, port, folder / "caddy.log", scheme)


def certificate(folder: Path) -> Path:
    """A certificate that nobody trusts."""
    key, file = folder / "key.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", file], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file


def program_of(route: str) -> str:
    """What a route needs."""
    program = route.partition("-")[0]
    return CADDY if program == "caddy" else program


Make = Callable[[Path, Server], Proxy]

ROUTES: dict[str, Make] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "haproxy-h2": partial(haproxy, tls=True),
    "caddy": caddy,
    "caddy-h2": partial(caddy, tls=True),
}
CADDY_SHORT = SHIPPED + "\ntransport http {\nread_timeout 2s\n}"
SHORT: dict[str, Make] = {
    "nginx": partial(nginx, proxy_read_timeout="1s"),
    "haproxy": partial(haproxy, timeout="2s"),
    "haproxy-h2": partial(haproxy, tls=True, timeout="2s"),
    "caddy": partial(caddy, proxy=CADDY_SHORT),
    "caddy-h2": partial(caddy, tls=True, proxy=CADDY_SHORT),
}
