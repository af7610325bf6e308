"""Finding: matches are marked, counted and jumped to; a filter shows only them, or only the others."""

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, until

lines = [f"{number} {'ERROR broken' if number % 100 == 0 else 'WARN odd' if number % 100 == 1 else 'INFO fine'}" for number in range(1, 1001)]
lines[499] += " [(.* needle"
lines[899] += " \x1b[32mnee\x1b[0mdle"
logs = Logs("\n".join(lines) + "\n")
page = Page(logs.address).open("app.log")
page.shows("1000 ERROR")


def count():
    return page.driver.find_element(By.ID, "count").text


page.press("/")
page.press("broken")
until("10 lines match", lambda: count() == "10")
until("they are marked", lambda: page.js("return document.querySelectorAll('mark').length") >= 1)
page.press(Keys.ENTER)
until("a match is shown", lambda: "/10" in count())
page.pane.click()
page.press("n")
first = count()
page.press("n")
until("the next one is shown", lambda: count() != first)
page.press("N")
until("and the one before", lambda: count() == first)

page.search("[(.*")
until("plain text is harmless", lambda: count() == "1")
page.named("button", "Next match").click()
page.shows("500 ERROR broken [(.* needle")
page.named("button", "Regular expression").click()
until("no pattern is no match", lambda: count() == "invalid expression")
page.search("nee?dle$")
until("a pattern matches across colours", lambda: count() == "2")

page.named("button", "Filter").click()
until("only matches are shown", lambda: len(page.lines) == 2)
logs.append("1001 needle\n1002 nothing\n")
until("what comes is filtered, too", lambda: len(page.lines) == 3 and page.lines[-1] == "1001 needle")
page.named("button", "Invert").click()
page.press("G")
page.shows("1002 nothing")
assert "needle" not in page.text
page.named("button", "Filter").click()

# An expression that takes for ever is given up, and meanwhile the page is alive.
page.named("button", "Invert").click()
logs.append("a" * 50 + "!\n")
page.shows("a!")
page.search("(a+)+$")
until("it is given up", lambda: count() == "expression is too slow")
page.search("nee?dle$")
until("the next one is searched for", lambda: count() == "3")
page.shows("needle")

page.named("searchbox", "Search").send_keys(Keys.ESCAPE)
page.shows("1001 needle")
assert page.named("searchbox", "Search").get_attribute("value") == ""
for level in ["error", "warn"]:
    page.scroll_to(890 * 18)
    until(f"{level} is tinted", lambda: page.js(f"return document.querySelectorAll('.row.{level}').length"))
page.close()
logs.close()
