"""Levels: entries are as grave as their first line; chips count and select them, keys lead from error to error, entries fold."""

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, until


def entry(number):
    level = "ERROR" if number % 100 == 50 else "WARN" if number % 100 == 0 else "INFO"
    trace = "Traceback (most recent call last):\n  File \"app.py\", line 7\nTimeout: gone\n" if level == "ERROR" else ""
    return f"2026-11-23 01:{number // 60 % 60:02}:{number % 60:02} {level} entry {number}\n{trace}"


logs = Logs("".join(entry(number) for number in range(1, 601)))
page = Page(logs.address).open("app.log")
page.shows("entry 600")


def chip(name):
    return page.driver.find_element(By.ID, name).accessible_name


until("entries are counted", lambda: (chip("errors"), chip("warnings")) == ("6 errors", "6 warnings"))
logs.append(entry(650) + "2026-11-23 02:00:00 INFO last\n")
until("a new one, too", lambda: chip("errors") == "7 errors")

# A trace is tinted with its entry.
page.shows("last")
tinted = [line for line in page.js("return [...document.querySelectorAll('.row.error')].map((row) => row.textContent)")]
assert any("Timeout: gone" in line for line in tinted) and any("entry 650" in line for line in tinted), tinted
assert not any("entry 600" in line for line in tinted)

# From error to error.
page.press("E")
until("the last error is shown", lambda: "entry 650" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))
for number in [550, 450]:
    page.press("E")
    until(f"{number} is shown", lambda: f"entry {number}" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))
page.press("e")
until("forward again", lambda: "entry 550" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))

# A chip shows the entries of its level and graver ones, whole.
page.driver.find_element(By.ID, "errors").click()
until("only errors are shown", lambda: len(page.lines) == 28 and all("INFO" not in line for line in page.lines))
assert page.lines[0].startswith("2026-11-23 01:00:50 ERROR entry 50") and page.lines[3] == "Timeout: gone", page.lines[:4]
page.driver.find_element(By.ID, "warnings").click()
until("warnings, too", lambda: len(page.lines) == 34)
assert "level=warn" in page.driver.current_url, page.driver.current_url
page.driver.find_element(By.ID, "warnings").click()
page.press("G")
page.shows("last")

# Entries fold, one or all. Rows are used again, so that the last one in the document need not be the last on the screen.
fold = """const row = [...document.querySelectorAll('.row.error')].find((row) => row.textContent.includes('entry 650'));
          row.querySelector('.fold').click();"""
until("the last error is there", lambda: any("entry 650" in line for line in page.lines))
page.js(fold)
until("one is folded", lambda: any(line.endswith("entry 650 \u25b8 3 more") for line in page.lines))
assert "entry 650" in page.text and page.text.count("Timeout") < 2
page.js(fold)
until("and unfolded", lambda: any(line.endswith("entry 650 \u25be") for line in page.lines))
page.named("button", "Fold entries").click()
until("all are folded", lambda: "Timeout" not in page.text and "entry 650" in page.text)
page.named("button", "Fold entries").click()
page.shows("Timeout")
page.close()

# JSON, access logs, and a line alone.
rows = [
    '{"time":"2026-11-23T01:00:00Z","level":"error","message":"broken","user":{"id":7}}',
    '10.0.0.1 - - [23/Nov/2026:01:32:27 +0000] "GET / HTTP/1.1" 503 12 "-" "curl"',
    '10.0.0.1 - - [23/Nov/2026:01:32:27 +0000] "GET / HTTP/1.1" 200 12 "-" "curl"',
]
logs.append("\n".join(rows) + "\n", "mixed.log")
page = Page(logs.address).open("mixed.log")
page.shows("broken")
assert page.js("return [...document.querySelectorAll('.row')].map((row) => row.className.includes('error'))") == [True, True, False]
page.press("E", "E", "E")
page.press(Keys.ENTER)
shown = until("a line is shown alone", lambda: page.driver.find_element(By.ID, "line").text)
assert '"user": {\n    "id": 7\n  }' in shown, shown
page.press(Keys.ESCAPE)
page.close()
logs.close()
