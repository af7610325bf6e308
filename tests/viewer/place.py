"""Place: a filter that comes and goes keeps the reader's place; a jump shows the match, in lines that are broken or long."""

from selenium.webdriver.common.by import By

from browser import Logs, Page, until


def text(number):
    words = "long words " * (number * 7 % 60)
    if number % 50 == 0:
        return f"{number} {words} {words} needle {words}"
    return f"{number} {words}"


logs = Logs("".join(f"{text(number)}\n" for number in range(1, 1001)))
VISIBLE = """
const box = document.querySelector(".row.current mark")?.getBoundingClientRect();
const pane = document.querySelector("[role=log]").getBoundingClientRect();
return !!box && box.top >= pane.top && box.bottom <= pane.bottom && box.left >= pane.left && box.right <= pane.right;
"""


def top(page):
    """The number of the first line of which most is on screen."""
    return page.js(
        """
        const pane = document.querySelector("[role=log]").getBoundingClientRect();
        const row = [...document.querySelectorAll(".row")].find((row) => row.getBoundingClientRect().bottom > pane.top + 9);
        return parseInt(row.textContent);
        """
    )


def settled(page):
    for _ in range(3):
        page.drawn()
    page.js("return new Promise((resolve) => setTimeout(resolve, 300))")


for flags, size in [("", (1200, 800)), ("&wrap=1", (1200, 800)), ("&wrap=1", (360, 740))]:
    page = Page(logs.address, *size).open(f"app.log#q=needle{flags}")
    until("all matches are counted", lambda: page.driver.find_element(By.ID, "count").text == "20")
    page.driver.find_element(By.ID, "pane").click()
    hidden = []
    for jump in range(12):
        page.press("N" if jump < 8 else "n")
        settled(page)
        if not page.js(VISIBLE):
            hidden.append(page.driver.find_element(By.ID, "count").text)
    assert not hidden, (flags, size, hidden)

    # Where one reads, a filter comes and goes.
    page.scroll_to(page.scroll - 1700)
    settled(page)
    place = top(page)
    for _ in range(2):
        page.js("document.getElementById('filter').click()")
        until("only matches are shown", lambda: page.js("return [...document.querySelectorAll('.row')].every((row) => row.textContent.includes('needle'))"))
        settled(page)
        page.js("document.getElementById('filter').click()")
        settled(page)
        assert top(page) == place, (flags, size, top(page), place)
    page.close()
logs.close()
