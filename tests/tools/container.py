"""Builds a Dockerfile and runs its image without Docker: as root, in namespaces of Linux.

Each RUN is carried out as it is written, in a folder tree of its own (chroot), and so is CMD: as
process 1, with the user of the image, a root that cannot be written to, and no network but
loopback. The base image is not to be had without a registry: Debian's own packages of the same
release (debootstrap) stand in for it, with Debian's Python.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psutil

from tests.tools.dockerfile import Dockerfile, Ignored, Stage, Step, fill

PROGRAMS = ("debootstrap", "unshare", "nsenter", "mount", "chroot", "ip")
PACKAGES = "python3,python3-venv,ca-certificates"  # what python:*-slim has and minbase has not
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
STEP_LIMIT = 1500  # seconds of one RUN
Say = Callable[[str], None]


def missing() -> str:
    """Why nothing can be built here; "" where it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "only root on Linux can make namespaces and a chroot"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--fork", "true"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


@dataclass(frozen=True)
class Image:
    """A tree of folders and how it is to be run.

    Attributes:
        root: The tree.
        env: Its variables.
        folder: WORKDIR.
        user: USER; "" is root.
        stage: The instructions it came from.
    """

    root: Path
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str = ""
    stage: Stage = field(default_factory=lambda: Stage("", ""))


def debian(tag: str, folder: Path) -> Path:
    """Debian's packages for a tag such as ``python:3.12-slim-bookworm``."""
    release = tag.rpartition("-")[2]
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, folder],
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    python = folder / "usr" / "local" / "bin" / "python"
    python.symlink_to("/usr/bin/python3")
    return folder


def pips_own() -> tuple[dict[str, str], list[Path]]:
    """How this machine's pip is set up, as variables, and the files that this names."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    variables, paths = {}, []
    for name, value in re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", said, re.M):
        variables["PIP_" + name.upper().replace("-", "_")] = value
        for word in value.split():
            if word.startswith("file:"):
                paths.append(Path(url2pathname(urlsplit(word).path)).parent)
            elif word.startswith("/"):
                paths.append(Path(word))
    return variables, [path for path in dict.fromkeys(paths) if path.exists()]


class Builder:
    """Carries out a Dockerfile.

    Args:
        folder: Where the trees are made.
        context: The checkout.
        files: What of it may be copied, relative.
        ignored: What is not, of these.
        say: Told of each step and its seconds.
    """

    def __init__(
        self, folder: Path, context: Path, files: list[str], ignored: Ignored, say: Say = print
    ) -> None:
        self.folder = folder
        self.context = context
        self.files = [name for name in files if name not in ignored]
        self.say = say
        self._variables, self._shared = pips_own()
        self._stages: dict[str, Image] = {}

    def build(self, dockerfile: Dockerfile, arguments: Mapping[str, str]) -> Image:
        """The image of the last stage."""
        given = {**dockerfile.arguments, **arguments}
        bases: dict[str, Path] = {}
        for number, stage in enumerate(dockerfile.stages):
            base = fill(stage.base, given)
            if base not in bases:
                with self._timed(f"FROM {base}, by debootstrap"):
                    bases[base] = debian(base, self.folder / f"base{len(bases)}")
            root = self.folder / f"stage{number}"
            subprocess.run(["cp", "-a", bases[base], root], timeout=300, check=True)
            shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
            image = Image(root, stage=stage)
            asked: dict[str, str] = {}
            for step in stage.steps:
                with self._timed(f"{step.keyword} {step.text}"):
                    image = self._carry_out(image, step, asked, given)
            self._stages[stage.name] = image
        return image

    def _carry_out(
        self, image: Image, step: Step, asked: dict[str, str], given: Mapping[str, str]
    ) -> Image:
        values = {**asked, **image.env}
        match step.keyword:
            case "ARG":
                asked.update({name: given.get(name, value) for name, value in step.pairs.items()})
            case "ENV":
                pairs = {name: fill(value, values) for name, value in step.pairs.items()}
                return replace(image, env={**image.env, **pairs})
            case "WORKDIR":
                folder = fill(step.text, values)
                _inside(image, folder).mkdir(parents=True, exist_ok=True)
                return replace(image, folder=folder)
            case "USER":
                return replace(image, user=fill(step.text, values))
            case "COPY":
                self._copy(image, step)
            case "RUN":
                self._run(image, step, asked)
        return image

    def _copy(self, image: Image, step: Step) -> None:
        *sources, target = step.words
        into = _inside(image, target)
        if name := step.options.get("from"):
            (source,) = sources
            # Hard links, not copies: several GB, and nobody writes to them.
            subprocess.run(
                ["cp", "-al", _inside(self._stages[name], source), into], timeout=600, check=True
            )
            return
        for source in sources:
            named = [one for one in self.files if one == source or one.startswith(f"{source}/")]
            if not named:
                raise FileNotFoundError(f"COPY {source}: not in the context")
            for one in named:
                # A file goes into the folder, of a folder what is in it.
                place = into / (one.removeprefix(f"{source}/") if one != source else Path(one).name)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.context / one, place)

    def _run(self, image: Image, step: Step, asked: Mapping[str, str]) -> None:
        script, places = "", []
        if "pip" in step.text:  # what is this machine's own is lent for the step, not kept
            for path in self._shared:
                place = image.root / path.relative_to("/")
                if not place.exists():
                    place.mkdir(parents=True) if path.is_dir() else _touch(place)
                    places.append(place)
                script += f"mount --bind '{path}' '{place}' && "
        pip = {**self._variables, **image.env, **asked} if script else {**image.env, **asked}
        script += f"mount -t proc proc '{image.root}/proc' && "
        script += "exec " + " ".join(map(_quoted, _inner(replace(image, env=pip), step.text)))
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_LIMIT,
            check=False,
        )
        for place in places:
            place.rmdir() if place.is_dir() else place.unlink()
        if done.returncode:
            raise RuntimeError(
                f"line {step.number}: {step.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        if (seconds := time.monotonic() - begin) >= 0.5:
            self.say(f"{seconds:6.1f} s  {what[:100]}")


class Container:
    """The image at work: CMD is process 1.

    Args:
        image: What runs.
        volume: Stands for a volume at ``data``; takes what the image has there.
        data: The one folder besides /tmp that can be written to.
        log: Takes what it prints.
    """

    def __init__(self, image: Image, volume: Path, data: str, log: Path) -> None:
        self.image, self.volume, self.log = image, volume, log
        subprocess.run(["cp", "-a", _inside(image, data), volume], timeout=300, check=True)
        root = image.root
        inner = " ".join(map(_quoted, _inner(image, image.stage.only("CMD").arguments or "")))
        script = f"""
            ip link set lo up &&
            mount --bind '{root}' '{root}' && mount -o remount,bind,ro '{root}' &&
            mount --bind '{volume}' '{root}{data}' &&
            mount -t tmpfs -o size=512m,mode=1777 tmpfs '{root}/tmp' &&
            mount -t tmpfs -o size=64m,mode=1777 tmpfs '{root}/dev/shm' &&
            mount -t proc proc '{root}/proc' && exec {inner}"""
        with log.open("wb") as output:
            self._unshare = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child",
                 "sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        while self.running and not self.processes:  # unshare begins by making its child
            time.sleep(0.01)

    @property
    def processes(self) -> list[psutil.Process]:
        """Process 1 and what it started."""
        return psutil.Process(self._unshare.pid).children(recursive=True)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._unshare.poll() is None

    def call(
        self, command: list[str], given: str = "", limit: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs one more command beside CMD, as its health check is."""
        first, *_rest = self.processes
        return subprocess.run(
            ["nsenter", f"--target={first.pid}", "--mount", "--net", "--pid",
             *_inner(self.image, command)],
            input=given, capture_output=True, text=True, timeout=limit, check=False,
        )  # fmt: skip

    def stop(self, limit: float) -> tuple[int, float]:
        """Asks process 1 to end, as ``docker stop`` does; its status and the seconds it took."""
        first, *_rest = self.processes
        begin = time.monotonic()
        first.send_signal(signal.SIGTERM)
        return self._unshare.wait(limit), time.monotonic() - begin

    def kill(self) -> None:
        """Ends it without a word."""
        self._unshare.kill()
        self._unshare.wait(60)


def _inside(image: Image, path: str) -> Path:
    return image.root / Path(image.folder, path).relative_to("/")


def _inner(image: Image, command: list[str] | str) -> list[str]:
    """The command line that enters the tree and becomes the command, as the user of the image."""
    lowered = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    user = ["setpriv", f"--reuid={image.user}", f"--regid={image.user}", "--init-groups", *lowered]
    return [
        "chroot", str(image.root),
        *(user if image.user else []),
        "env", "-i", *(f"{name}={value}" for name, value in image.env.items()),
        "sh", "-c", 'cd "$0" && exec "$@"', image.folder,
        *(["sh", "-c", command] if isinstance(command, str) else command),
    ]  # fmt: skip


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
