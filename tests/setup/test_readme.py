"""What the READMEs promise is there: commands, settings, pages, files, the library's face."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

from explorer.attribution import METHODS
from explorer.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.zh-CN.md"]
DOCS = [*READMES, "CONTRIBUTING.md", "CHANGELOG.md"]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(name), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", DOCS)
def test_named_targets_exist(name: str) -> None:
    in_code = re.findall(r"`make ([a-z-]+)", text(name))
    in_blocks = [
        found
        for block in blocks(name, "sh")
        for found in re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)
    ]
    named = {*in_code, *in_blocks}
    assert named <= targets(), named - targets()
    if name in READMES:
        assert {"run", "test", "help", "doctor"} <= named


def test_make_help_lists_the_targets_that_people_use() -> None:
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    listed = set(re.findall(r"^  make ([a-z-]+)", said, re.MULTILINE))
    assert {"run", "test", "test-all", "lint", "bench", "messages", "doctor"} <= listed <= targets()


@pytest.mark.parametrize("target", ["run", "test", "test-all", "lint", "bench", "messages"])
def test_targets_make_the_environment_first(target: str) -> None:
    said = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    assert said[0] == f"tools/venv.sh {'run' if target == 'run' else 'dev'}"
    assert len(said) >= 2


def test_port_and_host_reach_streamlit() -> None:
    said = subprocess.run(
        ["make", "-n", "run", "PORT=8777", "HOST=0.0.0.0", "VENV=elsewhere"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert "elsewhere/bin/python -m streamlit run app.py" in said
    assert "--server.address 0.0.0.0 --server.port 8777" in said


@pytest.mark.parametrize("name", READMES)
def test_settings_table_is_the_settings(name: str) -> None:
    rows = re.findall(r"^\| `(EXPLORER_[A-Z_]+)` \| (.*?) \| (.*?) \|$", text(name), re.MULTILINE)
    fields = Settings.model_fields
    assert [row[0] for row in rows] == [f"EXPLORER_{field.upper()}" for field in fields]
    for (_, default, meaning), (field, info) in zip(rows, fields.items(), strict=True):
        assert meaning
        if default.startswith("`"):
            value = info.default
            plain = f"{value:g}" if isinstance(value, float) else str(value)
            assert default == f"`{plain.lower()}`", field
        else:  # in words: not a constant
            assert info.default is None or field == "cache_dir", field


def test_every_setting_is_described_where_it_is_defined() -> None:
    described = re.findall(r"^        (\w+): ", Settings.__doc__ or "", re.MULTILINE)
    assert described == list(Settings.model_fields)


@pytest.mark.parametrize("name", DOCS)
def test_linked_files_exist(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text(name)):
        if not urlsplit(target).scheme:
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_page_table_is_the_navigation(name: str) -> None:
    rows = re.findall(r"^\| [^|]+ \| `(/[a-z]*)` \|", text(name), re.MULTILINE)
    assert rows == [
        "/", "/history", "/graph", "/complexity", "/attribution", "/latency", "/compare",
        "/server",
    ]  # fmt: skip
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert len(pages) == len(rows)
    assert {row[1:] for row in rows[1:]} <= pages


def test_the_two_readmes_say_the_same() -> None:
    """Same headings by level, same commands, same links, same numbers of rows."""
    english, chinese = map(text, READMES)

    def shape(of: str) -> list[str]:
        return [line.split(" ")[0] for line in of.splitlines() if line.startswith("#")]

    assert shape(english) == shape(chinese)

    def bare(code: str) -> str:
        return re.sub(r"\s*#.*", "", code)

    for language in ("sh", "python"):
        one, other = ([bare(block) for block in blocks(name, language)] for name in READMES)
        assert one == other
    links = [set(re.findall(r"\]\(([^)]+)\)", of)) - set(READMES) for of in (english, chinese)]
    assert links[0] == links[1]


def test_named_methods_exist() -> None:
    assert {"saliency", "integrated_gradients", "grad_cam"} <= set(METHODS)


def test_the_library_example_runs(tmp_path: Path) -> None:
    (code,) = blocks("README.md", "python")
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    counts, found = answer.stdout.splitlines()
    # tf_efficientnet_lite0: 4,652,008 parameters, 385 million MACs (timm's results: 4.65 M).
    assert counts.startswith("4,652,008 parameters, 385,")
    assert found.startswith("(224, 224) 967 ")  # ImageNet class 967 is espresso


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_installed_versions_are_within_the_ranges(name: str) -> None:
    lines = [line.split("#")[0].strip() for line in text(name).splitlines()]
    wanted = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    assert len(wanted) > 5
    for requirement in wanted:
        version = metadata.version(requirement.name)
        assert requirement.specifier.contains(version, prereleases=True), (requirement, version)
        assert any(one.operator in ("<", "==") for one in requirement.specifier), (
            f"{requirement} has no upper end: a new major version may break the app"
        )


def test_third_party_imports_are_required() -> None:
    """What explorer, app and pages import is in requirements.txt, not there by accident."""
    from tests.architecture.test_imports import all_imports

    required = {
        Requirement(line.split("#")[0]).name.lower().replace("_", "-")
        # Ray is an extra that one module imports where a cluster is asked for.
        for line in text("requirements.txt").splitlines()
        + text("requirements-cluster.txt").splitlines()
        if line.strip() and not line.startswith(("#", "-"))
    }
    providers = metadata.packages_distributions()
    comes_with = {"packaging": "streamlit", "starlette": "streamlit", "httpx2": "huggingface-hub"}
    for name, parent in comes_with.items():
        assert name in {Requirement(line).name for line in metadata.requires(parent) or ()}
    missing = set()
    for found in all_imports():
        top = found.module.split(".")[0]
        if top in sys.stdlib_module_names or top in {"explorer", "pages", "app", "__future__"}:
            continue
        names = {name.lower().replace("_", "-") for name in providers.get(top, [top])}
        if not names & required and comes_with.get(top) not in required:
            missing.add(str(found))
    assert not missing, "\n".join(sorted(missing))
