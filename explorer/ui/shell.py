"""The frame around every page: navigation, model picker, language, device, banners."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from explorer.engine import get_engine
from explorer.i18n import N_, _
from explorer.telemetry import page_served
from explorer.ui import crowd, jobs, params, talk
from explorer.ui.compare_set import draw_tray, sync_compare
from explorer.ui.links import remember_pages
from explorer.ui.picker import device_badge, pick_model, show_notices
from explorer.ui.words import choose_language

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "pages"
PAGES = (
    ("chart.py", N_("Accuracy vs operations"), ":material/bubble_chart:"),
    ("history.py", N_("History"), ":material/timeline:"),
    ("graph.py", N_("Layer graph"), ":material/account_tree:"),
    ("complexity.py", N_("Complexity"), ":material/stacked_bar_chart:"),
    ("attribution.py", N_("Attribution"), ":material/frame_inspect:"),
    ("latency.py", N_("Latency"), ":material/speed:"),
    ("compare.py", N_("Compare"), ":material/compare:"),
)
# Reached from the foot of the sidebar: for operators and the curious.
SERVER_PAGE = ("server.py", N_("About this server"), ":material/dns:")


def main() -> None:
    """Draws the frame and runs the chosen page in it."""
    st.set_page_config("ConvNet Explorer", str(ROOT / "assets/images/icon.png"), layout="wide")
    st.html(Path(__file__).with_name("style.css"))
    jobs.begin_run()
    with st.sidebar:
        model_place, tray_place, device_place, language_place = (
            st.container() for _place in range(4)
        )
    talk.keep_language()
    choose_language(language_place)
    pages = {
        file: st.Page(FOLDER / file, title=_(title), icon=icon, default=number == 0)
        for number, (file, title, icon) in enumerate(PAGES)
    }
    file, title, icon = SERVER_PAGE
    pages[file] = st.Page(FOLDER / file, title=_(title), icon=icon, visibility="hidden")
    remember_pages(pages)
    page = st.navigation(list(pages.values()), expanded=True)
    with crowd.turn(crowd.Rank.PAGE if page.url_path else crowd.Rank.FRONT):
        _draw(page, pages, model_place, tray_place, device_place)


def _draw(
    page: StreamlitPage,
    pages: dict[str, StreamlitPage],
    model_place: DeltaGenerator,
    tray_place: DeltaGenerator,
    device_place: DeltaGenerator,
) -> None:
    """What is within the frame: the model's picker, the tray, the page, the device."""
    talk.follow(pages, page.url_path)
    selection = st.session_state["_selection"] = pick_model(model_place)
    show_notices()
    params.begin_page(page.url_path)
    talk.draw()
    sync_compare()
    draw_tray(tray_place, selection)
    page.run()
    page_served(page.url_path or Path(PAGES[0][0]).stem)
    params.end_page()
    talk.arrived()
    with device_place:
        device_badge()
        st.page_link(pages[SERVER_PAGE[0]], label=_(SERVER_PAGE[1]), icon=SERVER_PAGE[2])
    jobs.end_run()
    # The workers import torch only now that the visitor has a page.
    get_engine().warm_up()


main()
