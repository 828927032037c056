"""The log, as text or as one JSON object a line, without addresses, file names or image content.

What a visitor's file is called and where a visitor comes from is nobody's business afterwards.
Every line goes through ``redact``, whoever wrote it: this program, a worker, Streamlit, uvicorn.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
LONGEST = 20_000  # characters of one line
# Logged by others with handlers of their own, which are taken away.
OTHERS = ("streamlit", "uvicorn", "websockets")

_ENDINGS = r"(?:jpe?g|jfif|png|apng|gif|webp|avif|hei[cf]|bmp|tiff?|svg|eps|ico|safetensors|pth?)"
# Between quotation marks a name may have spaces; elsewhere it ends at one.
_FILE = re.compile(
    rf"(?P<open>[“'\"‘])[^”'\"’\n]{{1,400}}?\.{_ENDINGS}(?P<close>[”'\"’])"
    rf"|(?<![^\s“”‘’'\"(])[^\s“”‘’'\"(]{{1,400}}\.{_ENDINGS}\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f:.]{3,60}(?![\w:])")
_BYTES = re.compile(r"\bb(?P<mark>['\"])(?:\\.|(?!(?P=mark)).){24,}(?P=mark)?", re.DOTALL)
_BASE64 = re.compile(r"(?:data:image/[\w.+-]+;base64,)?[A-Za-z0-9+/]{200,}={0,2}")


def redact(text: str) -> str:
    """The text without image content, names of visitors' files and network addresses."""
    # Cut first: what follows takes time that grows with the length.
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}… [cut]"
    text = _BYTES.sub("[bytes]", text)
    text = _BASE64.sub("[bytes]", text)
    text = _FILE.sub(lambda hit: f"{hit['open'] or ''}[file]{hit['close'] or ''}", text)
    return _ADDRESS.sub(_address, text)


def _address(hit: re.Match[str]) -> str:
    found = hit[0].rstrip(".")
    end = hit[0][len(found) :]
    host, colon, port = found, "", ""
    if found.count(":") == 1:  # IPv4 with a port
        host, colon, port = found.partition(":")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return hit[0]
    return f"[address]{colon}{port}{end}"


class TextFormatter(logging.Formatter):
    """One line of text for a record, its traceback below."""

    def __init__(self) -> None:
        super().__init__(TEXT_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """The redacted line."""
        return redact(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object in one line for a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Fields: time (UTC), level, logger, message; exception where there is one."""
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            found["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(found, ensure_ascii=False)


def configure(style: str, level: int = logging.INFO) -> None:
    """Has everything logged through one handler to the standard error.

    Args:
        style: "text" or "json".
        level: Of this program; others keep theirs.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for logger in _loggers(OTHERS):
        if not logger.handlers and not logger.propagate:
            continue  # silenced on purpose: uvicorn's access log
        for old in list(logger.handlers):
            logger.removeHandler(old)
        logger.propagate = True


def _loggers(names: Iterable[str]) -> list[logging.Logger]:
    """The loggers of these names and all below them."""
    wanted = tuple(names)
    return [
        logger
        for name, logger in list(logging.root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in wanted
    ]
