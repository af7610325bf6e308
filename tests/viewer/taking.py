"""Taking along: selected lines as plain text, what is shown as a file, the raw text."""

import tempfile
from pathlib import Path

from browser import Keys, Logs, Page, until

logs = Logs("".join(f"\x1b[3{number % 8}mline\x1b[0m {number}\n" for number in range(1, 401)))
page = Page(logs.address).open("app.log")
page.cdp("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": logs.address})
page.shows("line 400")


def clipboard():
    return page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")


page.js(
    "const rows = [...document.querySelectorAll('.row')].slice(-3);"
    "getSelection().setBaseAndExtent(rows[0].querySelector('.text'), 0, rows[2], rows[2].childNodes.length)"
)
page.named("button", "Copy").click()
until("the selected lines are copied", lambda: clipboard().strip() == "line 398\nline 399\nline 400")
page.named("button", "Numbers").click()
page.named("button", "Times").click()
page.drawn()
page.js(
    "const rows = [...document.querySelectorAll('.row')].slice(-2);"
    "getSelection().setBaseAndExtent(rows[0], 0, rows[1].querySelector('.text').firstChild.firstChild, 2)"
)
page.named("button", "Copy").click()
until("numbers and times are not", lambda: clipboard() == "line 399\nli")
page.pane.click()
page.pane.send_keys(Keys.CONTROL, "a")
page.pane.send_keys(Keys.CONTROL, "c")
until("all lines are copied", lambda: clipboard().split("\n")[:400] == [f"line {number}" for number in range(1, 401)])

folder = tempfile.mkdtemp()
page.cdp("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
page.search("line 39")
page.named("button", "Filter").click()
until("11 lines are shown", lambda: len(page.lines) == 11)
page.named("button", "Download").click()
files = until("a file is there", lambda: [file for file in Path(folder).iterdir() if file.suffix == ".txt"])
until("it is what is shown", lambda: files[0].read_text() == "line 39\n" + "".join(f"line {number}\n" for number in range(390, 400)))

raw = page.named("link", "Raw")
assert raw.get_attribute("href") == f"{logs.address}app.log?lines=all&view=text"
raw.click()
until("another tab is open", lambda: len(page.driver.window_handles) == 2)
page.driver.switch_to.window(page.driver.window_handles[1])
until("it holds the log as it is", lambda: page.js("return document.body?.innerText.includes('\\x1b[31mline\\x1b[0m 1\\n')"))
page.driver.close()
page.driver.switch_to.window(page.driver.window_handles[0])
# Of a text browsers ask for an icon, too.
page.close(expected=["favicon.ico"])
logs.close()
