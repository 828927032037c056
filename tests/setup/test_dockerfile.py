"""The Dockerfile, what is copied by it, and the files of ``deploy``: all that needs no building.

``tests/serving/test_container.py`` carries the Dockerfile out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from explorer.settings import Settings
from tests.tools.dockerfile import Dockerfile, Ignored, context_of, fill, parse

ROOT = Path(__file__).resolve().parents[2]
SMALL = """\
# syntax
ARG BASE=3.12-slim
FROM python:${BASE} AS build
ARG TORCH=cpu
ARG TOKEN
ENV A=1 \\
    # a word between
    B="two words" PATH=/x:$PATH
COPY --from=other --chown=root:root one two/ ./
RUN if true; then \\
      echo a; \\
    fi
FROM scratch
CMD ["python", "-m", "x y"]
HEALTHCHECK --interval=30s CMD ["true"]
"""


# --- reading ------------------------------------------------------------------------------------


def test_a_dockerfile_is_read() -> None:
    found = parse(SMALL)
    assert found.arguments == {"BASE": "3.12-slim"}
    build, last = found.stages
    assert (build.name, fill(build.base, found.arguments)) == ("build", "python:3.12-slim")
    assert [step.keyword for step in build.steps] == ["ARG", "ARG", "ENV", "COPY", "RUN"]
    assert [step.pairs for step in build.of("ARG")] == [{"TORCH": "cpu"}, {"TOKEN": ""}]
    assert build.only("ENV").pairs == {"A": "1", "B": "two words", "PATH": "/x:$PATH"}
    copy = build.only("COPY")
    assert copy.options == {"from": "other", "chown": "root:root"}
    assert copy.words == ["one", "two/", "./"]
    assert copy.number == 9
    assert re.sub(r"\s+", " ", build.only("RUN").text) == "if true; then echo a; fi"
    assert found.image is last
    assert last.only("CMD").arguments == ["python", "-m", "x y"]
    assert last.only("HEALTHCHECK").options == {"interval": "30s"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM a\nINSTALL x", "line 2: INSTALL is not known"),
        ("RUN x", "line 1: RUN before FROM"),
        ("FROM a b", "line 1: FROM a b"),
    ],
)
def test_what_is_not_a_dockerfile_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse(text)


def test_ignored_files() -> None:
    ignored = Ignored("# why\n*\n!app.py\n!assets\n**/__pycache__\n**/*.pyc\nassets/?.raw\n")
    for name, out in {
        "app.py": False,
        "pages/app.py": True,
        ".git/config": True,
        "assets/deep/er/file.json": False,
        "assets/deep/__pycache__/x.txt": True,
        "assets/x.pyc": True,
        "assets/x.pycs": False,
        "assets/a.raw": True,
        "assets/ab.raw": False,
    }.items():
        assert (name in ignored) is out, name


# --- this one -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return parse((ROOT / "Dockerfile").read_text("utf-8"))


@pytest.fixture(scope="module")
def ignored() -> Ignored:
    return Ignored((ROOT / ".dockerignore").read_text("utf-8"))


@pytest.fixture(scope="module")
def context() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of what belongs to it")
    return context_of(ROOT)


def copied(dockerfile: Dockerfile) -> dict[str, list[str]]:
    """What each stage copies out of the checkout."""
    return {
        stage.name: [
            source
            for step in stage.of("COPY")
            if "from" not in step.options
            for source in step.words[:-1]
        ]
        for stage in dockerfile.stages
    }


def below(sources: list[str], names: list[str]) -> list[str]:
    return [name for name in names for one in sources if name == one or name.startswith(f"{one}/")]


@pytest.fixture(scope="module")
def app(
    dockerfile: Dockerfile,
    ignored: Ignored,
    context: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder with exactly what the image has of the checkout."""
    folder = tmp_path_factory.mktemp("image") / "app"
    for name in below(copied(dockerfile)["app"], context):
        if name not in ignored:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_what_is_copied_is_there_and_sent(
    dockerfile: Dockerfile, ignored: Ignored, context: list[str]
) -> None:
    for stage, sources in copied(dockerfile).items():
        assert sources, stage
        for source in sources:
            found = below([source], context)
            assert found, f"{stage} copies {source}, which is not there"
            assert [name for name in found if name not in ignored], f"{source} is not sent"


def test_what_is_sent_is_copied(
    dockerfile: Dockerfile, ignored: Ignored, context: list[str]
) -> None:
    wanted = [source for sources in copied(dockerfile).values() for source in sources]
    sent = {name for name in context if name not in ignored}
    assert sent == {name for name in below(wanted, context) if name not in ignored}


@pytest.mark.parametrize(
    "name",
    [
        ".git/config", ".env", "secrets.toml", ".venv/bin/python", "tests/conftest.py", "shared/x",
        "explorer/__pycache__/a.pyc", "pages/x.pyc", "assets/locale/zh_CN/LC_MESSAGES/explorer.mo",
        "requirements-dev.txt",
    ],
)  # fmt: skip
def test_leftovers_are_not_sent(ignored: Ignored, name: str) -> None:
    assert name in ignored


def test_no_secret_is_copied_or_asked_for(
    dockerfile: Dockerfile, ignored: Ignored, context: list[str]
) -> None:
    names = re.compile(r"(^|/)(\.env.*|secrets\.toml|id_\w+|.*\.(pem|key|p12|netrc))$")
    inside = re.compile(
        rb"-----BEGIN [A-Z ]*PRIVATE KEY|\b(ghp|hf|sk|xox[bp])[_-][A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}"
    )
    sent = [name for name in context if name not in ignored]
    assert not [name for name in sent if names.search(name)]
    assert not [name for name in sent if inside.search((ROOT / name).read_bytes())]
    for stage in dockerfile.stages:
        for step in [*stage.of("ARG"), *stage.of("ENV")]:
            for name in step.pairs:
                assert not re.search("PASSW|TOKEN|SECRET|CREDENTIAL|_KEY", name), name


def test_the_image_is_run_as_it_should(dockerfile: Dockerfile) -> None:
    image = dockerfile.image
    kinds = [step.keyword for step in image.steps]
    assert image.only("USER").text == "explorer"
    assert kinds.index("USER") < kinds.index("CMD")
    assert "useradd --uid 10001" in image.of("RUN")[0].text
    assert image.only("STOPSIGNAL").text == "SIGTERM"
    assert image.only("VOLUME").text == "/data"
    command = image.only("CMD").arguments
    assert command is not None  # no shell in between that keeps the signal
    port = image.only("EXPOSE").text
    assert f"--server.port={port}" in command
    check = image.only("HEALTHCHECK").text
    assert f"http://127.0.0.1:{port}/health/live" in check
    assert json.loads(check.removeprefix("CMD "))[0] == "python"
    # Whatever is written goes to the volume or to /tmp.
    env = image.only("ENV").pairs
    written = {name: value for name, value in env.items() if name.endswith(("HOME", "DIR"))}
    assert {"HOME", "EXPLORER_CACHE_DIR", "TORCH_HOME", "HF_HOME", "MPLCONFIGDIR"} <= set(written)
    assert all(re.match("/(data|tmp)(/|$)", value) for value in written.values()), written
    assert settings_in(env) <= set(Settings.model_fields)


def settings_in(env: dict[str, str]) -> set[str]:
    return {name[9:].lower() for name in env if name.startswith("EXPLORER_")}


@pytest.mark.parametrize(
    ("variables", "calls"),
    [
        (
            {"TORCH": "cpu", "PIP_INDEX_URL": "", "TORCH_INDEX_URL": "https://cpu.example/"},
            [
                "--index-url https://cpu.example/ -r torch.txt -c requirements.lock",
                "-r requirements.txt -c requirements.lock",
            ],
        ),
        (
            {"TORCH": "gpu", "PIP_INDEX_URL": "https://mine.example/"},
            ["-r requirements.txt -c requirements.lock index=https://mine.example/"],
        ),
    ],
    ids=["cpu", "gpu"],
)
def test_what_is_installed(
    dockerfile: Dockerfile, tmp_path: Path, variables: dict[str, str], calls: list[str]
) -> None:
    """The step as written, with a pip that takes notes."""
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\nshift; echo "$*${PIP_INDEX_URL+ index=$PIP_INDEX_URL}" >>"$LOG"\n')
    pip.chmod(0o755)
    for name in ("requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    script = dockerfile.stages[0].of("RUN")[-1].text.replace("/opt/venv/bin/pip", str(pip))
    subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LOG": str(tmp_path / "log"), **variables},
        check=True,
        timeout=60,
    )
    assert (tmp_path / "log").read_text().splitlines() == calls
    if variables["TORCH"] == "cpu":
        wanted = (tmp_path / "torch.txt").read_text().splitlines()
        assert [re.split("[<>=]", line)[0] for line in wanted] == ["torch", "torchvision"]


# In the image's folder and nowhere else: every module, then the front page with its jobs.
LOOK = """
import importlib, pkgutil, sys
sys.path.insert(0, ".")
import explorer
names = [module.name for module in pkgutil.walk_packages(explorer.__path__, "explorer.")]
for name in names:
    if name not in ("explorer.__main__", "explorer.ui.shell") and ".versions." not in name:
        importlib.import_module(name)
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("explorer/ui/shell.py", default_timeout=120).run()
assert not app.exception, app.exception
assert len(app.title) == 1
for page in ("history", "graph"):
    app.switch_page(f"../../pages/{page}.py").run()
    assert not app.exception, app.exception
    assert len(app.title) == 1
from explorer.engine import get_engine
get_engine().shutdown()
outside = [module.__file__ for module in list(sys.modules.values())
           if (getattr(module, "__file__", None) or "").startswith(sys.argv[1])]
assert not outside, outside
print(len(names), "modules")
"""


@pytest.mark.slow
def test_the_app_runs_from_what_is_copied(app: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment.update(EXPLORER_CACHE_DIR=str(tmp_path / "cache"), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOOK, str(ROOT / "explorer")],
        cwd=app,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[0]) > 150


# --- deploy -------------------------------------------------------------------------------------


def test_compose_refers_to_what_is_there(dockerfile: Dockerfile) -> None:
    place = ROOT / "deploy" / "compose.yaml"
    compose = yaml.safe_load(place.read_text("utf-8"))
    app, database = compose["services"]["explorer"], compose["services"]["database"]
    context = (place.parent / app["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / app["build"].get("dockerfile", "Dockerfile")).is_file()
    known = {*dockerfile.arguments} | {
        name for stage in dockerfile.stages for step in stage.of("ARG") for name in step.pairs
    }
    assert set(app["build"]["args"]) <= known
    assert settings_in(app["environment"]) <= set(Settings.model_fields)
    # Only this machine's proxy reaches it, at the port that it listens to.
    assert app["ports"] == ["127.0.0.1:8501:8501"]
    assert dockerfile.image.only("EXPOSE").text == "8501"
    assert "ports" not in database
    # Nothing is written but where the image writes.
    assert app["read_only"] is True
    assert [one.split(":")[0] for one in app["tmpfs"]] == ["/tmp"]
    assert [one.split(":")[1] for one in app["volumes"]] == [dockerfile.image.only("VOLUME").text]
    assert app["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in app["security_opt"]
    used = [one.split(":")[0] for service in (app, database) for one in service["volumes"]]
    assert set(used) == set(compose["volumes"])
    assert set(app["depends_on"]) <= set(compose["services"])
    assert "healthcheck" in database
    # The password is asked for and stands nowhere.
    asked = "${POSTGRES_PASSWORD:?set it}"
    assert database["environment"]["POSTGRES_PASSWORD"] == asked
    assert asked in app["environment"]["EXPLORER_DATABASE_URL"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
def test_compose_of_a_cluster_fits_together(dockerfile: Dockerfile) -> None:
    place = ROOT / "deploy" / "compose-cluster.yaml"
    compose = yaml.safe_load(place.read_text("utf-8"))
    services = compose["services"]
    servers = [services["explorer-a"], services["explorer-b"]]
    known = {name for stage in dockerfile.stages for s in stage.of("ARG") for name in s.pairs}
    for service in (*servers, services["head"], services["node"]):
        assert (place.parent / service["build"]["context"]).resolve() == ROOT
        assert set(service["build"]["args"]) <= known
        assert service["build"]["args"]["CLUSTER"] == "1"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert set(service.get("depends_on", ())) <= set(services)
    for server in servers:
        assert settings_in(server["environment"]) <= set(Settings.model_fields)
        Settings(engine=server["environment"]["EXPLORER_ENGINE"])
    assert servers[0]["environment"] == servers[1]["environment"]
    # Nothing but the proxy is reached from outside, and Ray, which runs what it is sent, not by it.
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert {name for name, found in networks.items() if "inside" in found} == {
        "explorer-a", "explorer-b", "head", "node", "database",
    }  # fmt: skip
    assert compose["networks"]["inside"]["internal"] is True
    assert set.union(*networks.values()) == set(compose["networks"])
    # The ports: of the proxy's upstreams, of the servers, of Ray.
    nginx = (place.parent / "nginx-cluster.conf").read_text("utf-8")
    upstreams = dict(re.findall(r"server (explorer-[ab]):(\d+) max_fails", nginx))
    assert upstreams == {"explorer-a": "8501", "explorer-b": "8502"}
    assert "command" not in servers[0]
    assert dockerfile.image.only("EXPOSE").text == "8501"
    own = dockerfile.image.only("CMD").arguments
    assert own is not None
    assert [w.replace("8501", "8502") for w in own] == servers[1]["command"]
    assert "8502/health/live" in servers[1]["healthcheck"]["test"][-1]
    head, node = (ray_options(services[name]["command"]) for name in ("head", "node"))
    engine = servers[0]["environment"]["EXPLORER_ENGINE"]
    assert engine == f"ray://head:{head['--ray-client-server-port']}"
    assert node["--address"] == f"head:{head['--port']}"
    # The proxy's own address is the one whose word the servers take.
    trusted = servers[0]["environment"]["FORWARDED_ALLOW_IPS"]
    assert services["nginx"]["networks"]["front"]["ipv4_address"] == trusted
    volumes = [
        one.split(":")[0]
        for s in services.values()
        for one in s.get("volumes", ())
        if one[0] != "$"
    ]
    assert {name for name in volumes if "/" not in name} == set(compose["volumes"])
    for name in ("POSTGRES_PASSWORD", "COOKIE_SECRET"):
        assert re.findall(rf"\$\{{{name}[^}}]*\}}", place.read_text("utf-8"))
    assert (
        services["database"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?set it}"
    )


def ray_options(command: list[str]) -> dict[str, str]:
    """Options of a ``ray start``, each of which Ray knows."""
    from ray.scripts.scripts import start

    assert command[:2] == ["ray", "start"]
    found = dict(word.partition("=")[::2] for word in command[2:])
    assert set(found) <= {name for option in start.params for name in option.opts}
    return found
