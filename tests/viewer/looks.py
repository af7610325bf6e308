"""Looks: colours as the log means them, names that turn nothing, colours of the system, a dialog that stays."""

import tempfile

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, until

text = [
    "\x1b[38:2::200:0:0mtrue\x1b[0m \x1b[38:2:200:0:0mold\x1b[0m \x1b[38:5:196mindexed\x1b[0m \x1b[4:3mcurly\x1b[4:0mflat",
    "\x1b[4;9mboth\x1b[24mstruck\x1b[0m",
    "\x1b[32;1mbegun",
    "going on",
    "and on \x1b[0mover",
    "plain",
    "\x1b[35mlong before",
    *[f"carried {number}" for number in range(200)],
    "\x1b[0mERROR after",
    "fine",
]
logs = Logs("\n".join(text[:6]) + "\n")
page = Page(logs.address).open("app.log")
page.shows("plain")


def style(part, name):
    return page.js(
        "const found = [...document.querySelectorAll('.text')].flatMap((text) => [...text.childNodes])"
        ".find((node) => node.textContent.trim() === arguments[0]);"
        "return getComputedStyle(found.nodeType === 1 ? found : found.parentElement)[arguments[1]]",
        part, name,
    )


ink = style("plain", "color")
assert style("true", "color") == style("old", "color") != ink, (style("true", "color"), style("old", "color"))
assert style("indexed", "color") != ink
assert style("curly", "textDecorationLine") == "underline" and style("curly", "fontStyle") == "normal"
assert style("flat", "textDecorationLine") == "none"
assert style("both", "textDecorationLine") == "underline line-through", style("both", "textDecorationLine")
assert style("struck", "textDecorationLine") == "line-through"
green = style("begun", "color")
assert green != ink and style("going on", "color") == green == style("and on", "color"), "colours go on in the next line"
assert style("going on", "fontWeight") == "700"
assert style("over", "color") == ink
logs.append("\n".join(text[6:]) + "\n")
page.shows("fine")
assert style("carried 190", "color") != ink and style("fine", "color") == ink
page.search("carried")
page.named("button", "Filter").click()
until("a filter shows them", lambda: "carried 199" in page.text and "fine" not in page.text)
assert style("190", "color") != ink

# A name cannot turn its direction.
logs.append("x\n", "a\u202egol.exe")
page.open()
until("it is listed", lambda: page.has("link", "a<U+202E>gol.exe"))
page.named("link", "a<U+202E>gol.exe").click()
page.shows("x")
for shown in [page.driver.title, page.driver.find_element(By.ID, "name").text, page.driver.find_element(By.TAG_NAME, "nav").text]:
    assert "\u202e" not in shown and "<U+202E>" in shown, shown

# The system's colours: what is pressed, the tint of a level, and the current match can be told from the rest.
page.open("app.log#q=after")
page.shows("fine")
until("a match is found", lambda: page.driver.find_element(By.ID, "count").text == "1")
page.press("n")
until("it is the current one", lambda: page.js("return document.querySelectorAll('.row.error.current').length") == 1)
page.cdp("Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]})
page.js("document.getElementById('pane').focus()")
look = page.js(
    """
    const look = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
    return [
      [look("#follow", "backgroundColor"), look("#wrap", "backgroundColor")],
      [look("#regex", "backgroundColor"), (document.getElementById("regex").click(), look("#regex", "backgroundColor"))],
      [look(".row:not(.error)", "borderLeftColor"), look(".row.error", "borderLeftColor")],
      [look(".row:not(.current)", "outlineStyle"), look(".row.current", "outlineStyle")],
    ];
    """
)
assert all(first != second for first, second in look[1:]), look
page.close()
logs.close()

# The dialog is there until there is a token.
file = tempfile.NamedTemporaryFile("w", encoding="utf-8")
file.write("token\n")
file.flush()
logs = Logs("guarded\n", ["--token-file", file.name])
page = Page(logs.address).open("app.log")
field = until("the token is asked for", lambda: page.driver.find_element(By.ID, "token"))
until("it is shown", lambda: field.is_displayed())
for _ in range(3):
    page.press(Keys.ESCAPE)
    page.drawn()
    until("it stays", lambda: field.is_displayed(), 2)
page.press("token", Keys.ENTER)
page.shows("guarded")
until("it is gone", lambda: not field.is_displayed())
page.close(expected=["401", "WebSocket"])
logs.close()
