"""Two servers behind nginx, with one Ray cluster and one PostgreSQL, all on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.conftest import ROOT, free_port, running_app
from tests.browser.server_process import server_of
from tests.engine.clusters import LOOPBACK, nodes
from tests.tools.nginx import running_nginx

CONFIG = ROOT / "deploy" / "nginx-cluster.conf"
PORTS = {"a": 8501, "b": 8502}  # as the configuration has them
STICKY = "explorer_server"  # its cookie


@contextmanager
def ray_cluster() -> Iterator[str]:
    """A cluster of one node with two processors; gives ``EXPLORER_ENGINE`` for servers.

    Of one: nodes that share a machine share a folder, where Ray's agents unpack the program's code
    over each other's heads while it is being imported.
    """
    with nodes("lab", cpus=2, client_port=True) as found:
        yield f"ray://{LOOPBACK}:{found.client_port}"


@dataclass
class Site:
    """The servers and the proxy.

    Args:
        folder: For what they write; each server has a folder of its own there.
        variables: Of both servers.

    Attributes:
        address: Of the proxy, with the sub-path.
    """

    folder: Path
    variables: dict[str, str]
    address: str = ""
    _ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    _running: dict[str, AbstractContextManager[str]] = field(default_factory=dict)

    def server(self, name: str) -> str:
        """The address of one server, past the proxy: for its numbers."""
        return f"http://{LOOPBACK}:{self._ports[name]}"

    def start(self, name: str) -> None:
        """Starts a server, or starts it again at the same address."""
        folder = self.folder / f"{name}{len(list(self.folder.glob(f'{name}*')))}"
        folder.mkdir()
        running = running_app(
            folder, port=self._ports[name], STREAMLIT_SERVER_BASE_URL_PATH="convnets",
            **self.variables,
        )  # fmt: skip
        running.__enter__()
        self._running[name] = running

    def kill(self, name: str) -> None:
        """Ends a server as the system does that has no memory left."""
        server = server_of(self.server(name))
        server.kill()
        self._end(name)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Runs all of it."""
        replaced = {
            rf"explorer-{name}:{port}": (f"{LOOPBACK}:{self._ports[name]}", 3)
            for name, port in PORTS.items()
        }
        replaced |= {rf'"~:{port}\$"': (f'"~:{self._ports[name]}$"', 1)
                     for name, port in PORTS.items()}  # fmt: skip
        try:
            for name in PORTS:
                self.start(name)
            with running_nginx(CONFIG, self.folder, free_port(), replaced) as self.address:
                yield
        finally:
            for name in list(self._running):
                self._end(name)

    def log(self) -> str:
        """What the servers have said."""
        logs = sorted(self.folder.glob("*/server.log"))
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def _end(self, name: str) -> None:
        self._running.pop(name).__exit__(None, None, None)
