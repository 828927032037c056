"""Hostile uploads: an image or one sentence, never a crash, never much time or memory."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explorer.errors import ImageError
from explorer.images import open_image
from tests.tools.hostile_files import MARK, SEED, corpus, sound

ROOT = Path(__file__).resolve().parents[2]
SECONDS, MEBIBYTES = 1.0, 300
FUZZ_SECONDS = 5.0
Found = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What came of every file, opened one after another in one process."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, (name, data) in enumerate(corpus().items()):
        (folder / f"{number:03}-{name.replace('/', '-')}").write_bytes(data)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.tools.open_hostile", str(folder)],
        cwd=ROOT,
        env={**os.environ, "EXPLORER_PUBLIC": "1"},  # strangers send files there
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    last = lines[-1]["name"] if lines else "nothing"
    assert answer.returncode == 0, f"it ended at {last}: {answer.stderr[-2000:]}"
    assert not (ROOT / MARK).exists(), "a planted pickle was run"
    return {line["name"][4:]: line for line in lines if "outcome" in line}


def test_there_are_enough_of_every_kind(found: Found) -> None:
    assert len(found) == len(corpus()) >= 200
    kinds = {name.partition("/")[0] for name in corpus()}
    assert kinds == {
        "truncated", "flipped", "bomb", "metadata", "loop", "polyglot", "foreign",
    }  # fmt: skip


def test_each_is_an_image_or_one_sentence(found: Found) -> None:
    wrong = {n: said for n, said in found.items() if said["outcome"] not in ("image", "refused")}
    assert not wrong
    for name, line in found.items():
        said = str(line["said"])
        assert said.startswith("RGB ") or line["outcome"] == "refused", name
        assert len(said) < 250, (name, said)
        assert "\n" not in said, (name, said)
        assert "Traceback" not in said, (name, said)


def test_the_right_ones_are_refused(found: Found) -> None:
    for name, line in found.items():
        if "halved" in name:
            continue
        if name.startswith("bomb-allowed") or name == "bomb-gif-frames":
            assert line["outcome"] == "image", (name, line)
        elif name.startswith("bomb-"):
            assert line["outcome"] == "refused", (name, line)
        elif name in ("metadata-png-text-50-mb", "metadata-png-icc-80-mb"):
            assert line["outcome"] == "refused", (name, line)  # packed into 76 KB
        elif name.startswith(("metadata-", "polyglot-jpeg")):
            assert line["outcome"] == "image", (name, line)  # its pixels are sound
    halved = next(line for name, line in found.items() if name == "bomb-halved-jpeg")
    assert halved["said"] == "RGB 3500x3500"
    foreign = {name: line for name, line in found.items() if name.startswith("foreign-")}
    opened = {name for name, line in foreign.items() if line["outcome"] == "image"}
    assert opened <= {"foreign-mpo"}  # which is a JPEG with more behind it


def test_none_takes_long(found: Found) -> None:
    slow = {
        n: line["seconds"] for n, line in found.items() if float(str(line["seconds"])) > SECONDS
    }
    assert not slow


def test_none_takes_much_memory(found: Found) -> None:
    large = {
        name: f"{int(str(line['bytes'])) / 2**20:.0f} MiB"
        for name, line in found.items()
        if int(str(line["bytes"])) > MEBIBYTES * 2**20
    }
    assert not large


def mutated(chance: random.Random, data: bytes) -> bytes:
    """A file with a few things wrong: bits, runs, pieces moved, doubled or gone."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = (
            chance.randrange(len(broken))
            if chance.random() < 0.5
            else chance.randrange(min(len(broken), 128))
        )
        length = chance.choice((1, 1, 2, 4, 8, 64, 512))
        match chance.randrange(5):
            case 0:
                broken[at] ^= 1 << chance.randrange(8)
            case 1:
                broken[at : at + length] = chance.randbytes(length)
            case 2:
                broken[at : at + length] = chance.choice((b"\0", b"\xff", b"\x7f")) * length
            case 3:
                del broken[at : at + length]
            case _:
                broken[at:at] = broken[: chance.randrange(1, 256)]
        if not broken:
            return b""
    return bytes(broken)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_fuzz() -> None:
    """Five seconds of mutated files, the same ones in the same order on every machine."""
    chance = random.Random(SEED)
    files = list(sound().values())
    until = time.monotonic() + FUZZ_SECONDS
    tried = 0
    while time.monotonic() < until:
        data = mutated(chance, chance.choice(files))
        try:
            opened = open_image(data)
        except ImageError:
            pass
        else:
            assert opened.mode == "RGB"
        tried += 1
    assert tried > 100
