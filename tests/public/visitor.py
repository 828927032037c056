"""A visitor without a browser: Streamlit's websocket protocol, and its upload by plain HTTP."""

from __future__ import annotations

import base64
import http.client
import io
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

COOKIE = "_streamlit_xsrf"
# A page, or one of its fragments, has run to its end.
FINISHED = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)
LIMIT = 120.0  # seconds for one answer


def request(
    address: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of one answer; the path is below that of the address."""
    app = urlsplit(address)
    connection = http.client.HTTPConnection(app.netloc, timeout=30)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, app.path + path, body, names)
        answer = connection.getresponse()
        return answer.status, answer.msg, answer.read()
    finally:
        connection.close()


def xsrf_token(address: str) -> str:
    """The token that the server gives to every browser, as a cookie."""
    _status, headers, _body = request(address, "GET", "/_stcore/health")
    for cookie in headers.get_all("Set-Cookie") or []:
        name, _equals, rest = cookie.partition("=")
        if name == COOKIE:
            return rest.partition(";")[0].strip('"')
    raise AssertionError("the server gave no XSRF cookie")


def form(name: str, data: bytes) -> tuple[bytes, str]:
    """A multipart body with one file, and its content type."""
    edge = uuid.uuid4().hex
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{edge}--\r\n".encode(), (
        f"multipart/form-data; boundary={edge}"
    )


@dataclass
class Visitor:
    """One session.

    Args:
        address: The app's.
        page: Path of the page; "" for the first one.
        query: Its parameters.

    Attributes:
        cookies: As a browser keeps them: sent with everything, renewed by every answer.
        elements: What the page shows, in the order in which it came.
        fragments: Ids of the fragments that ask to be run again.
        every: Seconds after which the last of them asks for it.
        popovers: Label → id of those that tell when they are opened.
    """

    address: str
    page: str = ""
    query: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    every: float = 0.0
    popovers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Connects, as a browser does that comes or comes back: nothing but cookies is known."""
        self.ask("GET", "/_stcore/health")
        self.token = self.cookies[COOKIE]
        app = urlsplit(self.address)
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                self.address.replace("http", "ws", 1) + "/_stcore/stream",
                subprotocols=["streamlit", self.token],  # type: ignore[list-item]
                additional_headers={"Cookie": self._cookies()},
                origin=f"{app.scheme}://{app.netloc}",  # type: ignore[arg-type]
                open_timeout=LIMIT,
                max_size=None,
                proxy=None,
            )
        )
        self.session = ""
        self._hash = ""
        self._uploaded: list[tuple[str, Any]] = []
        self._opened: set[str] = set()
        self._pressed = ""

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request by HTTP, with the cookies."""
        if self.cookies:
            headers["Cookie"] = self._cookies()
        status, found, data = request(self.address, method, path, body, **headers)
        for line in found.get_all("Set-Cookie") or []:
            self.cookies.update({name: one.value for name, one in SimpleCookie(line).items()})
        return status, found, data

    def _cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def run(self) -> None:
        """One run of the page, to its end."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.query)
        state.page_name = self.page if not self._hash else ""
        state.page_script_hash = self._hash
        for widget, files in self._uploaded:
            one = state.widget_states.widgets.add()
            one.id = widget
            one.file_uploader_state_value.CopyFrom(files)
        if self._pressed:
            one = state.widget_states.widgets.add()
            one.id, one.trigger_value, self._pressed = self._pressed, True, ""
        for popover in self._opened:
            state.widget_states.widgets.add(id=popover, bool_value=True)
        self._send(message)
        self.elements, self.fragments = [], []
        self._read()

    def unfold(self, label: str) -> None:
        """Opens a popover; what is in it comes with the next run."""
        self._opened.add(self.popovers[label])

    def run_fragment(self, fragment: str) -> None:
        """One run of a fragment that asked for it, and of the page where that follows."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.query)
        state.page_script_hash = self._hash
        state.fragment_id = fragment
        state.is_auto_rerun = True
        self._send(message)
        self._read(fragment=True)

    def press(self, label: str) -> None:
        """Presses the page's button of this label, and runs the page."""
        (self._pressed,) = [e.button.id for e in self.of("button") if e.button.label == label]
        self.run()

    def wait(self, limit: float = LIMIT) -> None:
        """Looks again as often as the page asks for it, until it does not any more."""
        deadline = time.monotonic() + limit
        while self.fragments:
            assert time.monotonic() < deadline, self.text[-1500:]
            time.sleep(self.every)
            page = self.fragments
            for fragment in page:
                self.run_fragment(fragment)
                if self.fragments is not page:  # the whole page was run
                    break

    def _read(self, *, fragment: bool = False) -> None:
        """Takes what comes until the run is over; that of a fragment leaves the page's elements."""
        for answer in self._answers():
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                if not fragment:
                    self.elements, self.fragments = [], []
                self.session = answer.new_session.initialize.session_id or self.session
                self._hash = answer.new_session.page_script_hash
            elif kind == "navigation":
                self._hash = answer.navigation.page_script_hash
            elif kind == "page_info_changed":  # what the browser would show as the address
                self.query = dict(parse_qsl(answer.page_info_changed.query_string))
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self.elements.append(answer.delta.new_element)
            elif kind == "delta" and answer.delta.add_block.popover.id:
                popover = answer.delta.add_block.popover
                self.popovers[popover.label] = popover.id
            elif kind == "auto_rerun":
                self.fragments.append(answer.auto_rerun.fragment_id)
                self.every = answer.auto_rerun.interval
            elif kind == "script_finished":
                if answer.script_finished in FINISHED:
                    return
                fragment = False  # it asked for the page to be run

    def upload(self, label: str, name: str, data: bytes) -> None:
        """Gives the page's uploader of this label a file, from the next run on."""
        (uploader,) = [e.file_uploader for e in self.of("file_uploader")
                       if e.file_uploader.label == label]  # fmt: skip
        message = BackMsg()
        message.file_urls_request.request_id = "one"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        self._send(message)
        urls = next(
            answer.file_urls_response.file_urls[0]
            for answer in self._answers()
            if answer.WhichOneof("type") == "file_urls_response"
        )
        body, kind = form(name, data)
        status, _headers, said = self.ask(
            "PUT", urls.upload_url, body, Content_Type=kind, X_Xsrftoken=self.token
        )
        assert status == 204, said
        chosen = BackMsg().rerun_script.widget_states.widgets.add().file_uploader_state_value
        chosen.uploaded_file_info.add(
            name=name, size=len(data), file_id=urls.file_id, file_urls=urls
        )
        self._uploaded.append((uploader.id, chosen))

    def of(self, kind: str) -> list[Element]:
        """The page's elements of one kind."""
        return [element for element in self.elements if element.WhichOneof("type") == kind]

    @property
    def images(self) -> list[str]:
        """Addresses of the images that are shown."""
        return [image.url for element in self.of("imgs") for image in element.imgs.imgs]

    def picture(self, url: str) -> np.ndarray[Any, Any]:
        """The pixels of an image (H, W, 3)."""
        if url.startswith("data:"):
            data = base64.b64decode(url.partition(",")[2])
        else:
            status, _headers, data = self.ask("GET", url)
            assert status == 200, url
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    @property
    def text(self) -> str:
        """Everything that is sent for the page, as text."""
        return "\n".join(str(element) for element in self.elements)

    def close(self) -> None:
        """Leaves."""
        self._open.close()

    def _send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def _answers(self) -> Iterator[ForwardMsg]:
        deadline = time.monotonic() + LIMIT
        while True:
            data = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            assert isinstance(data, bytes)
            answer = ForwardMsg()
            answer.ParseFromString(data)
            yield answer
