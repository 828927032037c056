"""A hundred visitors of two servers: each stays on one, and goes to the other when that one dies.

The servers share a Ray cluster, where all jobs run, and PostgreSQL; nginx stands in front with the
configuration that ships. The tests go on from one to the next: who was there when a server died is
there when it comes back.
"""

from __future__ import annotations

import io
import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from explorer.catalog import CATALOG, DEFAULT_MODEL
from tests.browser.conftest import (  # noqa: F401 - fixtures
    Seen,
    browser,
    cached_context,
    page,
    seen,
    settle,
)
from tests.browser.server_process import number, server_of
from tests.measurements.conftest import connect, postgres_server  # noqa: F401 - fixture
from tests.public.two_servers import STICKY, Site, ray_cluster
from tests.public.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

GUESTS, AT_WORK = 100, 20
ARRIVE_SECONDS = 30.0
OTHER = {"a": "b", "b": "a"}
# The model that is there anyway leaves the address.
PLAIN = [model for model in CATALOG if "/" not in model and model != DEFAULT_MODEL]
READY = 'explorer_worker_state{state="idle"}'
UPLOADER = "Or your own photo"
UPLOADED = "green-of-one"
GREEN = (20, 200, 60)
WAIT_LIMIT = 180.0  # seconds
QUEUE_LIMIT = 300.0  # seconds
LONG = 120_000  # milliseconds


# --- what is there ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with ray_cluster() as address:
        yield address


@pytest.fixture(scope="module")
def database(postgres_server: str) -> str:  # noqa: F811 - the fixture
    with connect(postgres_server) as connection:
        connection.execute("CREATE DATABASE two_servers")
    return f"{postgres_server}/two_servers"


def opened(folder: Path, engine: str, database: str, **variables: str) -> Iterator[Site]:
    """Servers whose engine has a worker on the node, so that no visitor waits for torch."""
    site = Site(folder, {"EXPLORER_ENGINE": engine, "EXPLORER_DATABASE_URL": database, **variables})
    with site.open():
        for name in OTHER:
            until_ready(site, name)
        yield site


def until_ready(site: Site, name: str) -> None:
    """The first visitor of a server wakes its engine."""
    first = Visitor(site.server(name) + "/convnets")
    first.run()
    wait_for(lambda: number(site.server(name), READY) == 1, f"a worker of server {name}")
    first.close()


@pytest.fixture(scope="module")
def site(engine: str, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from opened(
        tmp_path_factory.mktemp("site"), engine, database,
        EXPLORER_PUBLIC="1", EXPLORER_JOBS_PER_MINUTE="600",
    )  # fmt: skip


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Waits for what takes torch's import, or nginx's next try of a server."""
    deadline = time.monotonic() + WAIT_LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


class Guest:
    """One visitor, with a model and a state of the page of its own."""

    def __init__(self, site: Site, index: int) -> None:
        self.site, self.index = site, index
        self.works = index % (GUESTS // AT_WORK) == 0
        self.model = "tf_efficientnet_lite0" if self.works else PLAIN[index % len(PLAIN)]
        if self.works:
            view = {"methods": "saliency", "target": str(index)}
        else:
            view = {"view": "ideas"} if index % 2 else {}
        self.page = "attribution" if self.works else "history" if index % 2 else ""
        # The model that everybody begins with does not stand in the address.
        self.view = view if self.works else {"model": self.model, **view}
        self.visitor: Visitor | None = None
        self.seconds = 0.0
        self.pictures: list[str] = []

    @property
    def there(self) -> Visitor:
        assert self.visitor is not None
        return self.visitor

    @property
    def server(self) -> str:
        """Where it is, as its cookie says."""
        return self.there.cookies[STICKY]

    def come(self, after: float = 0.0) -> None:
        """Opens its address."""
        time.sleep(after)
        begin = time.monotonic()
        self.visitor = Visitor(self.site.address, self.page, dict(self.view))
        self.there.run()
        self.seconds = time.monotonic() - begin
        self.check()

    def work(self) -> None:
        """Waits for the jobs of its page; the pictures that came are fetched."""
        self.there.wait(QUEUE_LIMIT)  # behind everybody else's maps
        self.check()
        if self.works:
            self.pictures = self.there.images
            assert len(self.pictures) >= 2, f"{self.index}: no map\n{self.there.text[-1500:]}"
            self.look()

    def look(self) -> None:
        """The pictures are where its session is, and nowhere else."""
        for url in self.pictures:
            assert self.there.picture(url).ndim == 3

    def again(self) -> None:
        """One more run of the page."""
        self.there.run()
        self.check()
        self.look()

    def come_back(self, since: float) -> None:
        """What a browser does when the connection has ended; its address and cookies are left."""
        self.there.close()
        self.there.open()
        self.there.run()
        self.seconds = time.monotonic() - since
        self.check()

    def check(self) -> None:
        """The page is without errors, of its own model, in its own state."""
        found = self.there
        assert not found.of("exception"), found.text[-1500:]
        (picker,) = [e.selectbox for e in found.of("selectbox") if e.selectbox.label == "Model"]
        assert self.model in (picker.raw_value, picker.options[picker.default])
        assert {**found.query, **self.view} == found.query
        if self.view.get("view") == "ideas":
            assert "Move the sliders" in found.text


def all_at_once(guests: list[Guest], do: Callable[[Guest], Any]) -> None:
    if not guests:
        return
    with ThreadPoolExecutor(len(guests)) as crowd:
        for done in [crowd.submit(do, guest) for guest in guests]:
            done.result()


@pytest.fixture(scope="module")
def guests(site: Site) -> Iterator[list[Guest]]:
    """All of them, come over half a minute."""
    found = [Guest(site, index) for index in range(GUESTS)]
    all_at_once(found, lambda one: one.come(ARRIVE_SECONDS * one.index / GUESTS))
    report("first page", [one.seconds for one in found])
    yield found
    for one in found:
        one.there.close()


def report(what: str, seconds: list[float]) -> None:
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    middle = statistics.median(seconds)
    print(f"\n{what}: median {middle:.2f} s, p95 {p95:.2f} s, most {max(seconds):.2f} s")


def token(visitor: Visitor) -> bytes | None:
    """What stands in the cookie, which is written anew each time."""
    return decode_xsrf_token_string(visitor.token)[0]


def memory(site: Site) -> None:
    for name in OTHER:
        process = server_of(site.server(name))
        print(f"server {name}: {process.memory_info().rss / 1e6:.0f} MB")


def on(guests: list[Guest], name: str) -> list[Guest]:
    return [one for one in guests if one.server == name]


# --- the crowd ----------------------------------------------------------------------------------


def test_every_visitor_stays_on_one_server(site: Site, guests: list[Guest]) -> None:
    first = [one.server for one in guests]
    assert abs(first.count("a") - first.count("b")) <= GUESTS // 10
    begin = time.monotonic()
    all_at_once(guests, Guest.work)
    print(f"\n{AT_WORK} maps: {time.monotonic() - begin:.1f} s until all are there")
    all_at_once(guests, Guest.again)
    assert [one.server for one in guests] == first
    for name in OTHER:  # the servers themselves say the same
        assert number(site.server(name), "explorer_visitors") == first.count(name)
    memory(site)


def test_the_jobs_ran_on_the_node(site: Site, guests: list[Guest]) -> None:
    for name in OTHER:
        assert number(site.server(name), 'explorer_jobs_total{kind="Explain",outcome="done"}') > 0
        assert server_of(site.server(name)).children(recursive=True) == []
    workers = [
        one for one in psutil.Process().children(recursive=True)
        if "explorer.worker" in one.cmdline()
    ]  # fmt: skip
    assert len(workers) == 1


def test_a_photo_goes_to_its_server_and_comes_back_from_the_node(
    site: Site, guests: list[Guest]
) -> None:
    upload(guests[0])
    assert not [one for one in guests if one is not guests[0] and UPLOADED in one.there.text]


def upload(guest: Guest) -> None:
    """Explains a photo of one colour, which no other page shows."""
    buffer = io.BytesIO()
    Image.new("RGB", (300, 300), GREEN).save(buffer, "PNG")
    visitor = guest.there
    visitor.upload(UPLOADER, f"{UPLOADED}.png", buffer.getvalue())
    before = set(visitor.images)
    visitor.run()
    visitor.wait()
    assert not visitor.of("exception")
    guest.pictures = visitor.images
    crops = [visitor.picture(url) for url in set(visitor.images) - before]
    assert [one for one in crops if np.abs(one.reshape(-1, 3).mean(0) - GREEN).max() <= 2]


def test_a_server_dies_and_its_visitors_go_on_with_the_other(
    site: Site, guests: list[Guest]
) -> None:
    lost = guests[0].server
    left = OTHER[lost]
    moved, others = on(guests, lost), on(guests, left)
    assert moved
    assert others
    tokens = {one.index: token(one.there) for one in moved}
    begin = time.monotonic()
    site.kill(lost)
    with ThreadPoolExecutor(1) as beside:
        unmoved = beside.submit(all_at_once, others, Guest.again)
        all_at_once(moved, lambda one: one.come_back(begin))
        unmoved.result()
    report(f"{len(moved)} visitors of the killed server back", [one.seconds for one in moved])
    assert {one.server for one in guests} == {left}
    assert number(site.server(left), "explorer_visitors") == len(guests)
    # What they had is made again there: from the kept results, or on the node.
    all_at_once(moved, Guest.work)
    # Cookies against forged requests, which the dead server gave, are taken by the other one.
    assert {one.index: token(one.there) for one in moved} == tokens
    guests[0].view["target"] = "101"
    guests[0].there.query["target"] = "101"
    guests[0].there.run()
    guests[0].work()
    upload(guests[0])
    memory_of_left = server_of(site.server(left)).memory_info().rss
    print(f"server {left} with all {len(guests)}: {memory_of_left / 1e6:.0f} MB")


def test_visitors_stay_where_they_went_when_the_server_is_back(
    site: Site, guests: list[Guest]
) -> None:
    left = guests[0].server
    back = OTHER[left]
    site.start(back)

    def newcomer() -> str:
        found = Visitor(site.address)
        found.run()
        found.close()
        return found.cookies[STICKY]

    wait_for(lambda: newcomer() == back, "nginx to try the server again")
    all_at_once(guests, Guest.again)  # with their pictures, which the other one has not
    assert {one.server for one in guests} == {left}


# --- a browser ----------------------------------------------------------------------------------


def server_in(page: Page) -> str:  # noqa: F811 - not the fixture
    (found,) = [one["value"] for one in page.context.cookies() if one["name"] == STICKY]
    return str(found)


def test_a_browser_comes_back_by_itself_with_its_view(
    site: Site,
    guests: list[Guest],
    page: Page,  # noqa: F811 - the fixture
    seen: Seen,  # noqa: F811 - the fixture
) -> None:
    for name in OTHER:  # also when this test is run alone
        until_ready(site, name)
    page.goto(f"{site.address}/history?model=vgg11", wait_until="commit")
    settle(page)
    page.get_by_text("Ideas to try", exact=True).click()
    settle(page)
    expect(page).to_have_url(re.compile("view=ideas"))
    expect(page.get_by_text("Move the sliders")).to_be_visible()
    (cookie,) = [one for one in page.context.cookies() if one["name"] == STICKY]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/convnets"
    begin = time.monotonic()
    site.kill(cookie["value"])
    left = OTHER[cookie["value"]]
    wait_for(
        lambda: page.wait_for_timeout(100) is None and server_in(page) == left,
        "the browser at the other server",
    )
    settle(page)
    print(f"\nthe browser is back after {time.monotonic() - begin:.1f} s")
    expect(page).to_have_url(re.compile("(?=.*model=vgg11)(?=.*view=ideas)"))
    expect(page.get_by_text("Move the sliders")).to_be_visible()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("vgg11")
    # And it works, in a session that knows nothing but what the browser tells it.
    page.get_by_text("Timeline", exact=True).click()
    expect(page.get_by_text("Who took what from whom")).to_be_visible()
    settle(page)
    page.get_by_text("Ideas to try", exact=True).click()
    settle(page)
    page.reload()
    settle(page)
    expect(page.get_by_text("Move the sliders")).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Complexity").click()
    expect(page).to_have_url(re.compile("complexity"))
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LONG)  # a job on the node
    settle(page)
    assert server_in(page) == left
    seen.console.clear()  # the connection that broke


# --- one database -------------------------------------------------------------------------------


def test_a_timing_taken_by_one_server_is_in_the_history_of_the_other(
    engine: str, database: str, tmp_path: Path
) -> None:
    # Not in public mode, where strangers' timings are not kept.
    for site in opened(tmp_path, engine, database):
        at = {name: site.server(name) + "/convnets" for name in OTHER}
        history = {"model": "lenet5", "view": "history", "seconds": "1"}
        reader = Visitor(at["b"], "latency", history)
        reader.run()
        assert "was not measured on this machine yet" in reader.text
        timer = Visitor(at["a"], "latency", {"model": "lenet5", "seconds": "1"})
        timer.run()
        timer.press("Start")
        timer.wait()
        # A running measurement is fetched by an element of the browser, not by this visitor.
        deadline = time.monotonic() + WAIT_LIMIT
        while "(node lab)" not in timer.text:
            assert time.monotonic() < deadline, timer.text[-1500:]
            time.sleep(1.0)
            timer.run()
        assert not timer.of("exception")
        while "was not measured on this machine yet" in reader.text:  # kept when it is over
            assert time.monotonic() < deadline, reader.text[-1500:]
            time.sleep(1.0)
            reader.run()
        assert reader.of("dataframe")
        timer.close()
        reader.close()
