"""Much: copying, saving and reading raw what is far more than a screen takes what was meant, and freezes nothing."""

import subprocess
import tempfile
from pathlib import Path

from selenium import webdriver

from browser import Keys, Logs, Page, numbered, until

LINES = 1_000_000
logs = Logs(numbered(1, 1000))
logs.append(numbered(1, LINES), "many.log")
page = Page(logs.address).open("app.log")
permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": logs.address}
page.cdp("Browser.grantPermissions", permissions)
page.shows("line 1000")


def clipboard():
    return page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")


def scrolled(top):
    page.scroll_to(top)
    until("it is scrolled", lambda: page.lines[0] == f"line {top // 18 + 1}")


# From one screen to another, with the mouse and with Shift.
scrolled(100 * 18)
rows = page.driver.find_elements("css selector", ".row")
mouse = webdriver.ActionChains(page.driver)
mouse.move_to_element_with_offset(rows[5], -rows[5].size["width"] // 2 + 4, 0).click_and_hold().perform()
scrolled(500 * 18)
rows = page.driver.find_elements("css selector", ".row")
mouse = webdriver.ActionChains(page.driver)
mouse.move_to_element_with_offset(rows[10], 300, 0).release().perform()
page.drawn()
page.pane.send_keys(Keys.CONTROL, "c")
want = numbered(106, 511).strip()
until("what was selected is copied", lambda: clipboard().strip() == want)
scrolled(800 * 18)
page.pane.send_keys(Keys.CONTROL, "c")
until("also when it is off screen", lambda: clipboard().strip() == want)
page.js("getSelection().removeAllRanges()")
page.close()

# A million lines: the page is alive meanwhile, and all arrive.
page = Page(logs.address).open("many.log#lines=all")
page.cdp("Browser.grantPermissions", permissions)
page.shows(f"line {LINES}")
folder = tempfile.mkdtemp()
page.cdp("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
page.js(
    """
    window.longest = 0;
    let last = performance.now();
    requestAnimationFrame(function look(now) {
      longest = Math.max(longest, now - last);
      last = now;
      requestAnimationFrame(look);
    });
    """
)
page.named("button", "Download").click()
files = until("a file is there", lambda: [file for file in Path(folder).iterdir() if file.suffix == ".txt"], 60)
assert files[0].read_text() == numbered(1, LINES)
longest = page.js("const was = longest; longest = 0; return was")
print(f"saved, longest frame {longest:.0f} ms")
assert longest < 400, longest
page.named("button", "Copy").click()
until("all is copied", lambda: page.js("return document.getElementById('top').textContent").endswith("lines are copied"), 60)
longest = page.js("return longest")
print(f"copied, longest frame {longest:.0f} ms")
assert longest < 1000, longest
assert page.driver.execute_async_script("navigator.clipboard.readText().then((text) => arguments[0](text.length))") == len(numbered(1, LINES))

# Raw is a link: the browser gets the text itself.
raw = page.named("link", "Raw")
assert raw.get_attribute("href") == f"{logs.address}many.log?lines=all&view=text", raw.get_attribute("href")
page.js("window.fetched = 0; const real = fetch; window.fetch = (...all) => (fetched++, real(...all))")
before = page.js("return fetched")
raw.click()
until("another tab is open", lambda: len(page.driver.window_handles) == 2)
page.driver.switch_to.window(page.driver.window_handles[1])
until("it holds the log", lambda: page.js("return document.body?.innerText.startsWith('line 1\\nline 2\\n')"), 60)
assert page.driver.current_url == f"{logs.address}many.log?lines=all&view=text", page.driver.current_url
page.driver.close()
page.driver.switch_to.window(page.driver.window_handles[0])
# Of a text browsers ask for an icon, too.
page.close(expected=["favicon.ico"])
logs.close()
