"""Watching: the last lines at once, then what comes; the view holds still where one reads; text is text."""

import re
import time

from browser import DEADLINE, Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 3000))
page = Page(logs.address).open("app.log")
page.shows("line 3000")
assert page.lines[-1] == "line 3000" and "line 2990" in page.lines
assert page.is_pressed("Follow")

began = time.monotonic()
logs.append("appended\n")
page.shows("appended", 1)
logs.append("unfini")
page.shows("unfini", 2)
logs.append("shed\r\n")
page.shows("unfinished")
assert page.lines[-1] == "unfinished", page.lines[-2:]

# Scrolled up it holds still and counts.
page.scroll_to(5000)
until("it does not follow", lambda: not page.is_pressed("Follow"))
before, top = page.lines[:20], page.scroll
logs.append(numbered(3001, 3007))
until("7 new lines are counted", lambda: page.has("button", "7 new lines"))
assert page.lines[:20] == before and page.scroll == top
page.named("button", "new lines").click()
page.shows("line 3007")
assert page.is_pressed("Follow") and not page.has("button", "new lines")

# One key goes back, too.
page.pane.send_keys(Keys.HOME)
until("Home leads up", lambda: not page.is_pressed("Follow"))
page.press("G")
page.shows("line 3007")

# Paused, nothing moves.
page.pane.send_keys(" ")
assert not page.is_pressed("Follow")
logs.append("while paused\n")
until("it is counted", lambda: page.has("button", "1 new line"))
assert page.lines[-1] == "line 3007"
page.press(" ")
page.shows("while paused")

# Broken or not, the end is the end.
logs.append("wide " * 200 + "end of wide\n")
page.shows("end of wide")
page.named("button", "Wrap").click()
until("a long line is broken", lambda: page.js("return [...document.querySelectorAll('.row')].at(-1).offsetHeight") > 36)
logs.append("after wide\n")
page.shows("after wide")
last = "const row = [...document.querySelectorAll('.row')].at(-1).getBoundingClientRect(); const pane ="
last += " document.querySelector('[role=log]').getBoundingClientRect(); return Math.abs(row.bottom - pane.bottom)"
until("the last line stands at the bottom", lambda: page.js(last) < 20)
page.scroll_to(page.scroll - 300)
until("it holds", lambda: not page.is_pressed("Follow"))
page.scroll_to(10_000_000)
until("the very bottom follows", lambda: page.is_pressed("Follow"))
page.named("button", "Wrap").click()
page.named("button", "Numbers").click()
page.named("button", "Times").click()
until("numbers and times are shown", lambda: re.fullmatch(r" *10\d\d \d\d:\d\d:\d\d after wide", page.lines[-1]))
page.named("button", "Numbers").click()
page.named("button", "Times").click()

# Colours are colours, the rest is text.
logs.append(b"\x1b[31mred\x1b[0m \x1b[1;38;5;226mbright\x1b[m \x1b[38;2;200;200;200;48;2;255;255;255mpale\x1b[0m \x1b[2Kkept\n")
logs.append('<img src=x onerror="document.title=1"> javascript:alert(1) \x1b]8;;http://evil.example/\x07link\x1b]8;;\x07\n')
logs.append(b"lone \xed\xa0\x80 surrogate, bad \xff, nul \x00, \xe2\x80\xaeturned\n")
page.shows("surrogate")
assert "red bright pale kept" in page.text, page.lines[-4:]
assert '<img src=x onerror="document.title=1"> javascript:alert(1) link' in page.text
assert "lone \ufffd\ufffd\ufffd surrogate, bad \ufffd, nul \u2400, <U+202E>turned" in page.text
assert not page.js("return document.querySelectorAll('[role=log] :is(a, img, script, iframe)').length")
colours = page.js(
    "return [...document.querySelectorAll('.text span')].map((part) => "
    "[part.textContent, getComputedStyle(part).color, getComputedStyle(part).backgroundColor])"
)
assert {"red", "bright", "pale"} <= {text for text, _, _ in colours}, colours
page.close()

# A tall window shows as much as fits.
page = Page(logs.address, 900, 4000).open("app.log")
logs.append(numbered(1, 80))
until("80 lines are there", lambda: "\n".join(page.lines[-80:]) == numbered(1, 80).strip())
page.close()

# A line of a megabyte is cut, and said to be.
logs.append("m" * 1_000_000 + "\nshort\n")
page = Page(logs.address).open("app.log")
page.shows("1000001 bytes in all")
page.shows("short")
assert len(page.text) < 100_000
page.close()
assert time.monotonic() - began < 6 * DEADLINE
logs.close()
