from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engine.conftest import ROOT


@pytest.mark.parametrize(
    "statement",
    [
        "import explorer.engine, explorer.engine.local, explorer.tasks, explorer.result_cache",
        "import explorer.worker",
        "from explorer.engine import get_engine; get_engine().info()",
    ],
)
def test_the_engine_loads_neither_torch_nor_streamlit(statement: str) -> None:
    heavy = "{'torch', 'torchvision', 'timm', 'captum', 'streamlit', 'pandas', 'plotly'}"
    code = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_server_that_runs_tasks_does_not_load_torch() -> None:
    code = (
        "import sys, pathlib\n"
        "from explorer.engine.local import EngineOptions, LocalEngine\n"
        "from tests.engine.fakes import Call, loaded_modules\n"
        "engine = LocalEngine(EngineOptions(python_path=(pathlib.Path.cwd(),)))\n"
        "loaded = engine.submit(Call(loaded_modules), 'me').result(100)\n"
        "engine.shutdown()\n"
        "print('torch' in loaded, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]
