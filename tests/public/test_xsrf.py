"""Another site cannot upload into a visitor's session, nor open one in the visitor's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import running_app
from tests.public.visitor import COOKIE, Visitor, form, request, xsrf_token


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("xsrf"), EXPLORER_PUBLIC="1") as found:
        yield found


@pytest.fixture(scope="module")
def visitor(address: str) -> Iterator[Visitor]:
    found = Visitor(address)
    found.run()
    yield found
    found.close()


def put(visitor: Visitor, **headers: str) -> tuple[int, bytes]:
    body, kind = form("photo.png", b"data")
    path = f"/_stcore/upload_file/{visitor.session}/some-file"
    status, _headers, said = request(
        visitor.address, "PUT", path, body, Content_Type=kind, **headers
    )
    return status, said


def test_an_upload_with_the_visitors_token_is_taken(visitor: Visitor) -> None:
    cookie = f"{COOKIE}={visitor.token}"
    assert put(visitor, X_Xsrftoken=visitor.token, Cookie=cookie)[0] == 204


def test_an_upload_from_another_origin_is_refused(visitor: Visitor) -> None:
    cookie = f"{COOKIE}={visitor.token}"
    stranger = xsrf_token(visitor.address)
    assert stranger != visitor.token
    origin = {"Origin": "http://evil.example"}
    # A foreign page's request carries the visitor's cookie at most: it can read no token.
    for headers in (
        {}, {"Cookie": cookie}, {"X_Xsrftoken": visitor.token},
        {"Cookie": cookie, "X_Xsrftoken": "wrong"}, {"Cookie": cookie, "X_Xsrftoken": stranger},
    ):  # fmt: skip
        status, said = put(visitor, **origin, **headers)
        assert status == 403, headers
        assert b"XSRF token" in said


def test_deleting_needs_the_token_too(visitor: Visitor) -> None:
    path = f"/_stcore/upload_file/{visitor.session}/some-file"
    cookie = f"{COOKIE}={visitor.token}"
    assert request(visitor.address, "DELETE", path, Cookie=cookie)[0] == 403


def test_no_other_origin_is_allowed_to_read(visitor: Visitor) -> None:
    path = f"/_stcore/upload_file/{visitor.session}/some-file"
    _status, headers, _body = request(
        visitor.address, "OPTIONS", path, Origin="http://evil.example",
        Access_Control_Request_Method="PUT",
    )  # fmt: skip
    allowed = headers.get("Access-Control-Allow-Origin", "")
    assert allowed != "*"
    assert "evil.example" not in allowed


def test_a_websocket_from_another_origin_is_refused(address: str) -> None:
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(
            address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin="http://evil.example",  # type: ignore[arg-type]
            proxy=None,
        ),
    ):
        pass
    assert caught.value.response.status_code == 403
