"""A log, a server and a browser: what every test of the viewer needs. Each wait has a deadline."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WSTAIL = sys.argv[1]
DEADLINE = 20
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def until(what, is_so, deadline=DEADLINE):
    """Looks again and again until it is so, and returns what it then is."""
    end = time.monotonic() + deadline
    while True:
        try:
            last = is_so()
        except StaleElementReferenceException:
            last = None
        if last:
            return last
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.02)


class Logs:
    """A directory of logs and its server."""

    def __init__(self, text="", options=()):
        self.directory = Path(tempfile.mkdtemp(prefix="wstail-viewer-"))
        self.options = list(options)
        self.port = 0
        self.append(text)
        self.start()

    def path(self, name="app.log"):
        return self.directory / name

    def append(self, text, name="app.log"):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def start(self):
        command = [WSTAIL, "serve", str(self.directory), "--port", str(self.port), *self.options]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        atexit.register(self.server.kill)
        self.address = self.server.stdout.readline().split()[-1]
        self.port = int(self.address.rstrip("/").rsplit(":", 1)[1])

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server.stdout.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.directory)


class Page:
    """A page in a browser of its own."""

    def __init__(self, origin, width=1200, height=800, dark=False, mobile=False):
        self.origin = origin
        self.profile = tempfile.mkdtemp(prefix="wstail-browser-")
        options = webdriver.ChromeOptions()
        for flag in [*FLAGS, f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(DEADLINE)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", {"features": [scheme]})

    def cdp(self, command, parameters=None):
        return self.driver.execute_cdp_cmd(command, parameters or {})

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def open(self, path=""):
        self.driver.get("about:blank")
        self.driver.get(self.origin + path)
        return self

    @property
    def pane(self):
        [pane] = self.driver.find_elements(By.CSS_SELECTOR, "[role=log]")
        return pane

    @property
    def text(self):
        return self.js("return document.querySelector('[role=log]').innerText")

    @property
    def lines(self):
        return self.text.split("\n")

    @property
    def scroll(self):
        return self.js("return document.querySelector('[role=log]').scrollTop")

    def scroll_to(self, top):
        self.js("document.querySelector('[role=log]').scrollTop = arguments[0]", top)

    def drawn(self):
        """Waits for two frames."""
        frames = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        self.driver.execute_async_script(frames)

    @property
    def status(self):
        return self.js("return document.querySelector('[role=status]').textContent")

    def named(self, role, name):
        """The one visible element of that role whose accessible name holds that text; the menu is opened for its own."""
        self.js(
            "const more = document.getElementById('more');"
            "const isIn = [...document.querySelectorAll('#extras *')].some((part) => part.textContent === arguments[0]);"
            "if (isIn && !more.matches('[aria-expanded=true]')) more.click()",
            name,
        )
        selector = {"button": "button", "link": "a", "searchbox": "input[type=search]"}[role]
        found = [
            element
            for element in self.driver.find_elements(By.CSS_SELECTOR, selector)
            if element.is_displayed() and element.aria_role == role and name in element.accessible_name
        ]
        assert len(found) == 1, f"{len(found)} elements of role {role} are named {name!r}"
        return found[0]

    def has(self, role, name):
        try:
            return self.named(role, name)
        except AssertionError:
            return None

    def is_pressed(self, name):
        return self.named("button", name).get_attribute("aria-pressed") == "true"

    def press(self, *keys):
        """Types where the focus is."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def shows(self, text, deadline=DEADLINE):
        until(f"{text!r} is shown", lambda: text in self.text, deadline)

    def search(self, text):
        box = self.named("searchbox", "Search")
        box.clear()
        box.send_keys(text)

    def close(self, expected=()):
        """Ends the browser; nothing may have been complained of but what is expected, nothing fetched from elsewhere."""
        complaints = [entry["message"] for entry in self.driver.get_log("browser")]
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)
        complaints = [text for text in complaints if not any(part in text for part in expected)]
        assert not complaints, complaints
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        asked += [event["params"]["url"] for event in events if event["method"] == "Network.webSocketCreated"]
        own = (self.origin, self.origin.replace("http:", "ws:"), f"blob:{self.origin}", "about:", "data:", "chrome:")
        foreign = [url for url in asked if not url.startswith(own)]
        assert not foreign, foreign


def numbered(first, last):
    return "".join(f"line {number}\n" for number in range(first, last + 1))
