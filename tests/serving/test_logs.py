"""The log says what happened and not to whom: no addresses, file names, image content."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest

from explorer.engine.local import LocalEngine
from explorer.engine.process import worker_log
from explorer.serving.logs import LONGEST, JsonFormatter, TextFormatter, configure, redact
from explorer.worker import OneLine
from tests.engine.fakes import Call, raise_value_error
from tests.engine.waiting import PATIENCE

PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 192.168.1.20 came", "from [address] came"),
        ("('10.0.0.7', 51234) - open", "('[address]', 51234) - open"),
        ("peer 203.0.113.9:4433 left", "peer [address]:4433 left"),
        ("client ::1, 2001:db8::8a2e:370:7334.", "client [address], [address]."),
        ("fe80::1%eth0", "[address]%eth0"),
        ("at 12:34:56 it took 3.25 s", "at 12:34:56 it took 3.25 s"),
        ("version 2.14.1, std::vector, x::y", "version 2.14.1, std::vector, x::y"),
        ("“Grandma at sea.JPG” is no image", "“[file]” is no image"),
        ("The file 'my cat.heic' and dog.png", "The file '[file]' and [file]"),
        ("open C:\\me\\secret.webp failed", "open [file] failed"),
        ('"résumé 写真.jpeg" broke', '"[file]" broke'),
        ("weights patient-7.safetensors", "weights [file]"),
        ("the layer features.conv.pt_block", "the layer features.conv.pt_block"),
        (f"task Explain(image={PHOTO!r})", "task Explain(image=[bytes])"),
        ("b'short' stays", "b'short' stays"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_encoded_images_and_endless_lines() -> None:
    encoded = base64.b64encode(PHOTO).decode()
    assert encoded not in redact(f"src=data:image/png;base64,{encoded}")
    assert redact(f"x {encoded} y") == "x [bytes] y"
    assert len(redact("word " * 100_000)) < LONGEST + 20


def test_redaction_is_quick_on_what_is_made_to_be_slow() -> None:
    import time

    for text in ("“" * 5000, "b'" * 5000, "1:" * 5000, "a." * 5000, "'" + "x.jp" * 3000):
        begin = time.process_time()
        redact(text)
        assert time.process_time() - begin < 1.0, text[:4]  # quadratic would be minutes


def record(
    message: str, *arguments: object, error: BaseException | None = None
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("explorer.x", 40, "f.py", 1, message, arguments, info)


def test_one_object_a_line_with_the_traceback() -> None:
    try:
        raise ValueError("broken “aunt.png”\nfrom 10.1.2.3")
    except ValueError as error:
        text = JsonFormatter().format(record("upload %s failed", "aunt.png", error=error))
    assert "\n" not in text
    found = json.loads(text)
    assert (found["level"], found["logger"]) == ("ERROR", "explorer.x")
    assert found["message"] == "upload [file] failed"
    assert "Traceback" in found["exception"]
    assert "aunt" not in text
    assert "10.1.2.3" not in text
    assert found["time"].endswith("+00:00")


def test_text_is_redacted_with_its_traceback() -> None:
    try:
        raise OSError("cannot read uncle.gif")
    except OSError as error:
        text = TextFormatter().format(record("it failed", error=error))
    assert "ERROR explorer.x it failed" in text
    assert "uncle" not in text


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root, manager = logging.getLogger(), logging.root.manager.loggerDict
    handlers, level = list(root.handlers), root.level
    others = {
        name: (list(found.handlers), found.propagate)
        for name, found in manager.items()
        if isinstance(found, logging.Logger)
    }
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name, (old, propagate) in others.items():
        found = logging.getLogger(name)
        found.handlers[:], found.propagate = old, propagate


@pytest.mark.usefixtures("_logging_as_before")
@pytest.mark.parametrize("style", ["text", "json"])
def test_all_loggers_go_one_way(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    streamlit = logging.getLogger("streamlit.web.server.anything")
    streamlit.addHandler(logging.StreamHandler(sys.stderr))
    streamlit.propagate = False
    silenced = logging.getLogger("uvicorn.access")
    silenced.handlers, silenced.propagate = [], False
    configure(style)
    assert not silenced.hasHandlers()  # what uvicorn asks before it logs a request
    streamlit.error("from %s", "198.51.100.4")
    logging.getLogger("uvicorn.error").error("another")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "198.51.100.4" not in lines[0]
    if style == "json":
        assert json.loads(lines[0])["logger"] == "streamlit.web.server.anything"


def test_the_workers_traceback_arrives_as_one_record(
    make_engine: Callable[..., LocalEngine], caplog: pytest.LogCaptureFixture
) -> None:
    line = OneLine().format(record("first\nsecond"))
    assert "\n" not in line
    engine = make_engine()
    engine.submit(Call(log_with_traceback), "me").result(PATIENCE)
    engine.shutdown()
    (found,) = [one for one in caplog.records if one.name == "a.library"]
    assert found.levelname == "ERROR"
    assert "Traceback (most recent call last):\n" in found.getMessage()
    assert found.getMessage().endswith("ValueError: no such thing.\nsecond line")
    assert worker_log.name not in [one.name for one in caplog.records]


def log_with_traceback() -> None:
    """Runs in the worker."""
    try:
        raise_value_error()
    except ValueError:
        logging.getLogger("a.library").exception("it broke")
