"""The app's server as an operator sees it: its process, its children, its numbers."""

from __future__ import annotations

import os
import re
import socket
import struct
import urllib.request
from urllib.parse import urlsplit

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg

ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def server_of(address: str) -> psutil.Process:
    """The process that ``running_app`` started for this address."""
    port = f"--server.port={urlsplit(address).port}"
    (found,) = [one for one in psutil.Process().children() if port in one.cmdline()]
    return found


def number(address: str, name: str) -> float:
    """One of the server's metrics, without labels or with them as written."""
    text = ask(f"{address}/metrics", timeout=30).read().decode()
    (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(value)


class RawSession:
    """A websocket to the app that sends and, unless told to, never reads.

    Args:
        address: The app's.
        buffer: Bytes that the system may keep for it unread.
    """

    def __init__(self, address: str, buffer: int = 4096) -> None:
        parts = urlsplit(address)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(30)
        self._socket.connect((parts.hostname, parts.port))
        self._socket.sendall(
            (
                f"GET /_stcore/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: streamlit\r\n\r\n"
            ).encode()
        )
        head = self._socket.recv(12)
        assert head == b"HTTP/1.1 101", head

    def rerun(self, query: str = "") -> bool:
        """Asks for a run of the page; False when the server has ended the connection."""
        message = BackMsg()
        message.rerun_script.query_string = query
        data = message.SerializeToString()
        mask = os.urandom(4)
        length = (
            bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        )
        masked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(data))
        try:
            self._socket.sendall(b"\x82" + length + mask + masked)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Ends it without a word."""
        self._socket.close()
