"""The page in a real browser: its policy lets it run, it keeps itself up to date, nothing hostile does anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.everything import as_it_is
from tests.serve.browser import Browser, browsing
from tests.serve.scenes import a_thousand, all_in_sync, applying, drifted, everything, half_failed
from tests.serve.serving import shown

pytestmark = pytest.mark.slow

ATTACK = (
    '"><script>document.title = "taken"</script><img src=x onerror="document.title = `taken`">'
    "<style>body { display: none }</style><a href=javascript:document.title=1>x</a>{{ 7 * 7 }}\u202e"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Browser:
    browser.said.clear()
    browser.look(1280, 900)
    return browser


def test_it_keeps_itself_up_to_date_and_what_was_unfolded_stays_so(page: Browser) -> None:
    """Without a reload, as soon as somebody looks; focus stays, too. When nobody answers any more it says so, in time."""
    with shown(all_in_sync()) as wall:
        page.open(wall.url)
        assert page.evaluate("document.querySelector('h1').innerText") == "13 clusters in sync"
        page.evaluate("window.same = true; document.querySelector('#t0-in-sync summary').click()")
        page.evaluate("document.querySelector('#t0-in-sync summary').focus()")
        wall.picture = drifted()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.evaluate(changed("document.querySelector('h1').innerText === '1 of 2 targets drifted'"))
        assert page.evaluate("[window.same, document.title, document.querySelector('#t0-in-sync').open]") == [
            True,
            "1 of 2 targets drifted · reconciler",
            True,
        ]
        assert page.evaluate("document.activeElement.closest('details').id") == "t0-in-sync"
        assert page.evaluate("document.querySelector('#stale').checkVisibility()") is False
        assert page.said == []
    page.evaluate(changed("document.querySelector('#stale').checkVisibility()"))


def changed(condition: str) -> str:
    """A promise that is kept when the page has changed so."""
    return (
        f"new Promise((kept) => {{ const look = () => {{ if ({condition}) {{ watch.disconnect(); kept(true) }} }};"
        "const watch = new MutationObserver(look);"
        "watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true }); look() })"
    )


def test_what_is_hostile_does_nothing(page: Browser) -> None:
    """In every text at once: no script, no style, no picture, no element that isn't ours; the policy has no work."""
    count = "document.querySelectorAll('*').length"
    with shown(everything(as_it_is)) as wall:
        page.open(wall.url)
        harmless = page.evaluate(count)
        wall.picture = everything(lambda text: f"{ATTACK}{text}")
        page.open(wall.url)
        assert page.evaluate(count) == harmless
        assert page.evaluate("document.querySelectorAll('img, script:not(:last-of-type), a[href^=java]').length") == 0
        assert "taken" not in page.evaluate("document.title").removeprefix("The last round failed")
        assert "{{ 7 * 7 }}" in page.evaluate("document.querySelector('h2').innerText")
        assert page.evaluate("document.body.checkVisibility()") is True
        assert page.said == []


def test_the_policy_stops_what_would_get_through(page: Browser) -> None:
    """A script, an event, a style, a picture of another host: were they ever on the page."""
    with shown(all_in_sync()) as wall:
        page.open(wall.url)
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = 1\"><b style=\"color: red\">');"
            "document.body.append(Object.assign(document.createElement('script'), { text: 'document.title = 2' }))"
        )
        assert page.evaluate("document.title") == "13 clusters in sync · reconciler"
        assert page.evaluate("getComputedStyle(document.querySelector('body > b')).color") != "rgb(255, 0, 0)"
        assert len([one for one in page.said if "Content Security Policy" in one]) >= 3


def test_without_javascript_all_of_it_is_there(page: Browser) -> None:
    """And asks again by itself."""
    page.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        with shown(half_failed()) as wall:
            page.open(wall.url)
            text = page.evaluate("document.body.innerText")
            assert "2 of 3 targets failed" in text
            assert "after 3 attempts: PUT /cluster/busy: 503: try later" in text
            assert page.evaluate("document.querySelector('meta[http-equiv=refresh]').content") == "30"
    finally:
        page.ask("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("scene", [all_in_sync, drifted, half_failed, applying, a_thousand, everything])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_wall_and_a_phone_by_day_and_by_night(
    page: Browser, scene: "object", width: int, dark: bool, tmp_path: Path
) -> None:
    """Nothing is wider than the screen, and text stands out from what is behind it."""
    page.look(width, 812, dark=dark)
    with shown(scene()) as wall:  # type: ignore[operator]
        page.open(wall.url)
        assert page.evaluate("innerWidth") == width
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate(FAINTEST) >= 4.5
        page.shoot(tmp_path / "page.png")


FAINTEST = """
(() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = numbers(getComputedStyle(element).backgroundColor);
      if (found.length === 3) return found;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let faintest = 21;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.tagName === "PROGRESS") continue;
    const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    faintest = Math.min(faintest, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
  }
  return faintest;
})()
"""
