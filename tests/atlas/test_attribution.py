"""The survey of maps: rows are what explain and assess give; broken images are rows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from explorer.atlas.attribution import SCHEMA, SurveyMap, map_task, wanted_methods
from explorer.atlas.pictures import pictures
from explorer.attribution import METHODS
from explorer.attribution.maps import explain
from explorer.attribution.quality import assess
from explorer.errors import AtlasError, AttributionError
from explorer.images import open_image, sample_bytes
from explorer.pool import ModelPool
from explorer.requests import AssessRequest, ExplainRequest, ModelRef
from tests.atlas.conftest import Atlas, rows_of

DIGITS = ModelRef("lenet5", "MNIST_DIGITS")
WHOLE = (0.0, 0.0, *map(float, open_image(sample_bytes("digit_3")).size))


class Context:
    def __init__(self) -> None:
        self.pool = ModelPool(device="cpu")

    def stage(self, name: str) -> None:
        assert name

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        assert done >= 0


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for digit in (3, 7):
        (folder / f"{digit}.png").write_bytes(sample_bytes(f"digit_{digit}"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    (folder / "empty.png").write_bytes(b"")
    (folder / "boxes.json").write_text(json.dumps({"3.png": [WHOLE]}))
    return folder


def test_methods_with_their_options() -> None:
    assert list(wanted_methods(["all"], [])) == list(METHODS)
    found = wanted_methods(["lime", "saliency"], ["lime.samples=200", "lime.width=0.5"])
    assert found == {"lime": {"samples": 200, "width": 0.5}, "saliency": {}}
    with pytest.raises(AttributionError, match="no attribution method named 'limes'"):
        wanted_methods(["limes"], [])
    for text in ("lime.samples", "samples=3", "occlusion.windows=3"):
        with pytest.raises(AtlasError, match="is no option of a chosen method"):
            wanted_methods(["lime"], [text])
    with pytest.raises(AttributionError):
        wanted_methods(["lime"], ["lime.samples=-1"])


def test_a_row_is_what_explain_and_assess_give() -> None:
    data = sample_bytes("digit_3")
    asked = AssessRequest(ExplainRequest("integrated_gradients"), ("curves", "agreement"), 4, 2)
    context = Context()
    row = SurveyMap(DIGITS, data, asked, (WHOLE,)).run(context)  # type: ignore[arg-type]
    with context.pool.use(DIGITS) as loaded:
        map = explain(loaded, open_image(data), asked.explain)
        card = assess(loaded, open_image(data), asked, map)
    assert set(row) <= set(SCHEMA.names)
    assert (row["target"], row["label"]) == (map.target, str(map.target))
    assert row["delta"] == map.delta is not None
    assert card.deletion is not None
    assert card.insertion is not None
    assert row["deletion"] == card.deletion.auc
    assert row["insertion"] == card.insertion.auc
    assert row["deletion_random"] == pytest.approx(sum(card.deletion.random_aucs) / 2)
    assert (row["insertion_beats"], row["orders"]) == (card.insertion.better_than, 2)
    assert row["agreement"] == pytest.approx(sum(card.agreement.values()) / len(card.agreement))
    assert row["agreement_with"].split(", ") == list(card.agreement)
    assert row["randomisation"] is row["infidelity"] is None
    # The digit's 28×28 pixels lie in the middle of the 32×32 that the network sees.
    assert (row["box_share"], row["pointing"]) == (28 * 28 / (32 * 32), True)
    positive = np.maximum(map.map, 0)
    assert row["energy"] == pytest.approx(positive[2:30, 2:30].sum() / positive.sum(), rel=1e-5)


def test_what_all_maps_of_an_image_share_changes_no_row() -> None:
    """The second and third map find random orders and cheap maps made; on another image none."""
    context = Context()
    for digit, method in ((3, "saliency"), (3, "grad_cam"), (3, "lime"), (7, "lime")):
        data = sample_bytes(f"digit_{digit}")
        checks = ("curves", "agreement", "infidelity")
        asked = AssessRequest(ExplainRequest(method), checks, 4, 2)
        row = SurveyMap(DIGITS, data, asked).run(context)  # type: ignore[arg-type]
        with context.pool.use(DIGITS) as loaded:
            map = explain(loaded, open_image(data), asked.explain)
            card = assess(loaded, open_image(data), asked, map)
        assert card.deletion is not None
        assert card.insertion is not None
        assert (row["deletion"], row["insertion"]) == (card.deletion.auc, card.insertion.auc)
        assert row["deletion_random"] == np.mean(card.deletion.random_aucs)
        assert row["insertion_random"] == np.mean(card.insertion.random_aucs)
        assert row["deletion_beats"] == card.deletion.better_than
        assert row["agreement"] == np.mean(list(card.agreement.values()))
        assert row["infidelity"] == card.infidelity


def test_a_network_without_weights_here_is_a_reason(images: Path) -> None:
    item = {"image": "3.png", "model": "resnet18", "weights": None, "method": "saliency"}
    asked = AssessRequest(ExplainRequest(""))
    with pytest.raises(AtlasError, match="resnet18 has no weights on this machine"):
        map_task(item, pictures(images)[0], asked, {})


def test_the_command_makes_a_row_for_everything(atlas: Atlas, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = atlas(
        "attribution", "--images", str(images), "--models", "lenet5", "resnet18", "--methods",
        "saliency", "attention_rollout", "--steps", "4", "--orders", "2", "--out", str(out),
    )  # fmt: skip
    told, log = process.communicate(timeout=200)
    assert process.returncode == 0, log
    rows = rows_of(out / "attribution.parquet")
    # 4 files × 2 networks × 2 methods
    assert [row["position"] for row in rows] == list(range(16))
    done = [row for row in rows if row["state"] == "done"]
    assert [(row["image"], row["method"]) for row in done] == [
        ("3.png", "saliency"), ("7.png", "saliency"),
    ]  # fmt: skip
    assert [row["label"] for row in done] == ["3", "7"]
    assert [row["pointing"] for row in done] == [True, None]
    reasons = {(row["image"], row["model"], row["method"]): row["reason"] for row in rows}
    assert "JPEG" in reasons["broken.jpg", "lenet5", "saliency"]
    assert reasons["empty.png", "lenet5", "saliency"]
    assert "no weights on this machine" in reasons["7.png", "resnet18", "saliency"]
    assert reasons["3.png", "lenet5", "attention_rollout"]
    assert f"✗ lenet5 · broken.jpg · saliency: {reasons['broken.jpg', 'lenet5', 'saliency']}" in log
    assert told.startswith("14 rows have a reason")
    assert pq.ParquetFile(out / "attribution.parquet").schema_arrow.remove_metadata() == SCHEMA


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--methods", "limes"], "There is no attribution method named 'limes'"),
        (["--checks", "taste"], "There is no check named 'taste'"),
        (["--images", "nowhere"], "nowhere cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(
    atlas: Atlas, images: Path, tmp_path: Path, arguments: list[str], match: str
) -> None:
    command = ["--images", str(images), "--models", "lenet5", *arguments]
    process = atlas("attribution", *command, "--out", str(tmp_path / "out"))
    assert match in process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_driver_and_worker_cost_no_row(atlas: Atlas, images: Path, tmp_path: Path) -> None:
    out, journal = tmp_path / "out", tmp_path / "out" / "rows.jsonl"
    command = [
        "attribution", "--images", str(images), "--models", "lenet5", "--methods", "all",
        "--steps", "4", "--orders", "2", "--out", str(out),
    ]  # fmt: skip

    def kept(rows: int, process: Any) -> None:
        deadline = time.monotonic() + 120
        while not journal.exists() or len(journal.read_text().splitlines()) < rows:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)

    first = atlas(*command)
    kept(5, first)
    psutil.Process(first.pid).children()[0].kill()
    kept(12, first)
    first.kill()
    first.communicate(timeout=30)
    before = [json.loads(line)["position"] for line in journal.read_text().splitlines()]
    second = atlas(*command, "--resume")
    _told, log = second.communicate(timeout=200)
    assert second.returncode == 0, log
    rows = rows_of(out / "attribution.parquet")
    # 4 files × 20 methods; one network without attention: 2 × 19 maps
    assert [row["position"] for row in rows] == list(range(4 * len(METHODS)))
    assert sum(row["state"] == "done" for row in rows) == 2 * 19
    assert before == list(range(len(before)))
