"""The switch in the sidebar between a network as published and as the library has it."""

from __future__ import annotations

from typing import Any

from tests.pages.conftest import texts


def test_the_switch_opens_the_other_form(open_page: Any) -> None:
    app = open_page("complexity", model="alexnet")
    assert "one-tower variant" in texts(app)
    control = app.radio(key="_form_alexnet")
    control.set_value("alexnet_2012").run()
    assert app.selectbox(key="model").value == "alexnet_2012"
    assert app.selectbox(key="weights").value == "untrained"


def test_there_is_none_for_a_network_of_one_form(open_page: Any) -> None:
    app = open_page("complexity", model="resnet18")
    assert not any(one.key and one.key.startswith("_form_") for one in app.radio)
