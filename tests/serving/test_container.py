"""The Dockerfile, carried out step by step, and its image at work: without Docker, see the tool.

Run by ``make test-all`` as root on Linux with debootstrap (Debian and Ubuntu: apt-get install
debootstrap) and a package index; about five minutes and 10 GB of disk for the time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.tools import container
from tests.tools.container import Builder, Container, Image
from tests.tools.dockerfile import Dockerfile, Ignored, context_of, parse

ROOT = Path(__file__).resolve().parents[2]
DATA = "/data"
VISITOR = (ROOT / "tests" / "public" / "visitor.py").read_text("utf-8")
# What a visitor without a browser does, in the container, which has no network but loopback.
VISIT = """
graph = {"model": "tf_efficientnet_lite0", "view": "outline"}
for page, query, kind in (("", {}, "plotly_chart"), ("graph", graph, "dataframe")):
    visitor = Visitor("http://127.0.0.1:8501", page, query)
    begin = time.monotonic()
    while not visitor.of(kind):
        visitor.run()
        assert not visitor.of("exception"), visitor.text
        assert time.monotonic() - begin < 60, visitor.text
        time.sleep(0.2)
    print(page or "front", f"{time.monotonic() - begin:.1f} s", len(visitor.elements), "elements")
    visitor.close()
"""
READY = "http://127.0.0.1:8501/health/ready"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return parse((ROOT / "Dockerfile").read_text("utf-8"))


@pytest.fixture(scope="module")
def image(dockerfile: Dockerfile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if reason := container.missing():
        pytest.skip(reason)
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of what belongs to it")
    folder = tmp_path_factory.mktemp("container")
    probe = ["download", "-q", "--no-deps", "-d", str(folder), "segno"]
    if subprocess.run(
        [sys.executable, "-m", "pip", *probe], capture_output=True, check=False
    ).returncode:
        pytest.skip("no package index can be reached: nothing can be installed into an image")
    ignored = Ignored((ROOT / ".dockerignore").read_text("utf-8"))
    builder = Builder(folder, ROOT, context_of(ROOT), ignored)
    # On this path torch comes from the same index as the rest; the other needs PyTorch's own.
    try:
        yield builder.build(dockerfile, {"TORCH": "gpu"})
    finally:  # 10 GB
        subprocess.run(["rm", "-rf", "--one-file-system", folder], timeout=300, check=False)


@pytest.fixture(scope="module")
def running(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    folder = tmp_path_factory.mktemp("volume")
    one = Container(image, folder / "data", DATA, folder / "log")
    yield one
    if one.running:
        one.kill()


def size(folder: Path) -> float:
    """GB on the disk."""
    said = subprocess.run(["du", "-sxb", folder], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[0]) / 1e9


def test_the_image_has_what_it_needs_and_no_more(image: Image) -> None:
    app = image.root / "app"
    assert {path.name for path in app.iterdir()} == {
        "app.py", "requirements.txt", ".streamlit", "assets", "explorer", "pages",
    }  # fmt: skip
    assert not [path for path in app.rglob("*") if path.name == "__pycache__"]
    owners = {path.stat().st_uid for path in app.rglob("*")}
    assert owners == {0}  # and the user of the image is another
    assert image.user == "explorer"
    assert re.search(r"^explorer:x:10001:", (image.root / "etc/passwd").read_text(), re.MULTILINE)
    sizes = {place: size(image.root / place) for place in (".", "opt/venv", "app", "data")}
    print("GB:", {place: round(gigabytes, 3) for place, gigabytes in sizes.items()})


def test_the_environment_is_the_locked_one(image: Image) -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    site = next((image.root / "opt/venv/lib").glob("python3*/site-packages"))
    for name in ("torch", "streamlit", "pillow", "starlette"):
        (version,) = re.findall(rf"^{name}==(\S+)$", lock, re.MULTILINE)
        assert (site / f"{name}-{version}.dist-info").is_dir() or list(
            site.glob(f"{name}-{version}+*.dist-info")
        )


def test_it_becomes_healthy_with_a_root_that_cannot_be_written_to(
    image: Image, running: Container
) -> None:
    check = image.stage.only("HEALTHCHECK")
    assert check.text.startswith("CMD ")
    command = json.loads(check.text.removeprefix("CMD "))
    begin = time.monotonic()
    while (done := running.call(command)).returncode:
        assert running.running, running.log.read_text()[-3000:]
        assert time.monotonic() - begin < 120, done.stderr[-1000:]
        time.sleep(0.5)
    print(f"healthy after {time.monotonic() - begin:.1f} s")


def test_pages_answer_without_a_network(running: Container) -> None:
    front = running.call(
        [
            "python",
            "-c",
            "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8501/').read().decode())",
        ]
    )
    assert "<title>Streamlit</title>" in front.stdout, front.stderr
    visit = running.call(["python", "-"], VISITOR + VISIT)
    print(visit.stdout)
    assert visit.returncode == 0, visit.stderr[-3000:]
    ready = running.call(
        [
            "python",
            "-c",
            f"import urllib.request as r; print(r.urlopen({READY!r}, timeout=60).read().decode())",
        ]
    )
    assert ready.returncode == 0, ready.stderr[-1000:]
    assert '"ready":true' in ready.stdout.replace(" ", "")


def test_it_has_no_rights(running: Container) -> None:
    found = running.processes
    assert len(found) >= 2  # the server and its worker
    for process in found:
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE), status
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE), status
        assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE), status
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE), status
    for place in ("/", "/app", "/app/assets", "/opt/venv", "/etc", "/usr/local/lib", "/var/tmp"):
        tried = running.call(["touch", f"{place}/x"])
        assert tried.returncode, f"{place} can be written to"
    for place in (DATA, "/tmp"):
        assert running.call(["sh", "-c", f"touch {place}/x && rm {place}/x"]).returncode == 0


def test_it_writes_where_it_should(image: Image, running: Container) -> None:
    before = {path.relative_to(image.root / "data") for path in (image.root / "data").rglob("*")}
    after = {path.relative_to(running.volume) for path in running.volume.rglob("*")}
    assert before <= after
    print("new under /data:", sorted(map(str, after - before)))
    assert all(path.parts[0] in {"cache", "share"} for path in after - before)
    assert [path for path in before if "traces" in path.parts]
    assert not [
        path for path in after - before if "traces" in path.parts
    ]  # those of prefetch serve
    said = running.log.read_text()
    assert "Traceback" not in said
    assert "Read-only" not in said
    assert "Permission denied" not in said


def test_it_ends_by_itself_in_time(running: Container) -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    grace = float(compose["services"]["explorer"]["stop_grace_period"].removesuffix("s"))
    found = running.processes
    memory = sum(process.memory_info().rss for process in found)
    status, seconds = running.stop(60)
    print(f"{len(found)} processes, {memory / 1e9:.2f} GB resident, ended in {seconds:.1f} s")
    assert status in {0, 143}  # by itself, or by the signal that it passed on
    assert seconds < grace
    assert not [process for process in found if process.is_running()]
    assert "Traceback" not in running.log.read_text()
