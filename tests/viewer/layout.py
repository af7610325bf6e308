"""Layout: one bar of 44 px and a status line, two bars of 92 px at most on a phone, nothing beside the page at any size; what
is empty says why and offers the way out; a strip shows where errors and matches are."""

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, until

text = "".join(
    f"2026-11-23 01:{number // 60 % 60:02}:{number % 60:02} {'ERROR' if number == 500 else 'INFO'} request={number} {'x' * 90}\n"
    for number in range(1000)
)
logs = Logs(text)
logs.append("x\n", "nginx/access.log")
logs.append("", "empty.log")


def heights(page):
    """How much of the page's height bars take, those that lie over the lines included."""
    return page.js(
        """
        const pane = document.querySelector("[role=log]").getBoundingClientRect();
        const bars = [...document.querySelectorAll("header, #finding, footer")]
          .filter((bar) => bar.checkVisibility()).map((bar) => bar.getBoundingClientRect());
        const covered = bars.filter(({ top, bottom }) => top < pane.bottom - 1 && bottom > pane.top + 1);
        return [innerHeight - pane.height, covered.length, document.querySelector("header").offsetHeight];
        """
    )


for width, height, dark, scale in [(1280, 800, False, 1), (640, 400, False, 2), (390, 844, True, 1), (844, 390, False, 1), (320, 640, False, 1)]:
    page = Page(logs.address, width, height, dark=dark, mobile=width < 1000 and scale == 1)
    page.cdp("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": scale == 1 and width < 1000})
    page.open("app.log#q=request%3D9&level=info")
    page.shows("request=999")
    bars, covered, header = heights(page)
    assert header == 44 and covered == 0, (width, header, covered)
    assert bars <= (44 + 31 + 40 if width == 1280 else 92), (width, bars)
    sizes = page.js("return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert sizes == [width, height], (width, sizes)
    for name in ["Follow", "Next match", "More", "1 error"]:
        box = page.named("button", name).rect
        assert 0 <= box["x"] and box["x"] + box["width"] <= width, (width, name, box)
    # All else is in the menu, the time on a phone, too.
    page.named("button", "Wrap")
    assert page.driver.find_element(By.ID, "time").is_displayed(), width
    page.close()

page = Page(logs.address).open("app.log")
page.shows("request=999")


def empty():
    return page.js("const empty = document.querySelector('.empty'); return empty.checkVisibility() ? empty.innerText : ''")


# The state says what is so and is the control.
follow = page.driver.find_element(By.ID, "follow")
until("it is live", lambda: follow.text == "Live")
follow.click()
until("it is held", lambda: follow.text == "Held")
logs.append("2026-11-23 02:00:00 INFO new\n")
until("what is new is counted", lambda: follow.text == "Held, 1 new")
follow.click()
page.shows("INFO new")
until("the rate is said while lines come", lambda: (logs.append("more\n"), "/s" in follow.text)[1])
until("and no more once none do", lambda: follow.text == "Live")

# What is empty says why, and how to get out.
page.search("nowhere")
page.named("button", "Filter").click()
until("nothing is held that matches", lambda: "Nothing matches in the 1," in empty() and "Search all 1" in empty())
page.named("button", "Clear").click()
page.shows("more")
assert page.named("searchbox", "Search").get_attribute("value") == "" and empty() == ""
page.open("empty.log")
until("a log is empty", lambda: "The log is empty" in empty())
logs.append("first\n", "empty.log")
page.shows("first")
assert empty() == ""

# The strip beside the lines: an error, and matches.
page.open("app.log#q=request%3D99")
page.shows("more")
INK = """
const strip = document.querySelector(".ruler");
const { data } = strip.getContext("2d").getImageData(0, 0, strip.width, strip.height);
const at = (x, y) => data.slice(4 * (y * strip.width + x), 4 * (y * strip.width + x) + 4).join();
return [2, 7].map((x) => [...Array(strip.height).keys()].filter((y) => at(x, y).endsWith(",255")).map((y) => y / strip.height));
"""


def drawn():
    errors, found = page.js(INK)
    # At the end of both is the frame around what is on screen.
    [errors, found] = [[place for place in places if place < 0.9] for places in (errors, found)]
    is_right = errors and all(0.45 < place < 0.55 for place in errors)
    return is_right and found and all(0.08 < place < 0.12 for place in found)


until("the error and the first match are drawn where they are", drawn)
# Reading the strip back is this test's doing.
page.close(expected=["Canvas2D"])
logs.close()
