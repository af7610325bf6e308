"""Behind nginx, set up as docs/deploy.md describes: everything is below the base path, and lines arrive live."""

import atexit
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

DEPLOY = (Path(__file__).parents[2] / "docs/deploy.md").read_text(encoding="utf-8")


def connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Nginx:
    def __init__(self, server):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.place = tempfile.mkdtemp(prefix="wstail-nginx-")
        location = re.search(r"```nginx\n(.*?)\n```", DEPLOY, re.DOTALL)[1].replace("127.0.0.1:8765", server)
        names = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        temps = "".join(f"{name}_temp_path {self.place}/{name};\n" for name in names)
        config = Path(self.place, "nginx.conf")
        config.write_text(
            f"daemon off; master_process off; pid {self.place}/pid; error_log stderr;\nevents {{}}\n"
            f"http {{ access_log off; {temps} server {{ listen 127.0.0.1:{self.port};\n{location}\n}} }}\n"
        )
        command = ["nginx", "-p", self.place, "-c", str(config)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        until("nginx listens", lambda: connects(self.port))

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.place)


logs = Logs(numbered(1, 5000), ["--base-path=/logs"])
logs.append("deeper\n", "a/b/other.log")
nginx = Nginx(logs.address.removeprefix("http://").split("/")[0])
# The page complains of every request that leaves this, when it is closed.
page = Page(f"http://127.0.0.1:{nginx.port}/logs/").open()
until("the logs are listed", lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "nav a")) == 2)
page.named("link", "app.log").click()
page.shows("line 5000")
until("it is live", lambda: "Live" in page.status)
assert page.driver.current_url == f"{page.origin}app.log", page.driver.current_url
for number in range(5):
    logs.append(f"live {number}\n")
    page.shows(f"live {number}", 1)

# All else that asks for something: older lines, the searching worker, the link, the log's own address.
page.pane.send_keys(Keys.HOME)
until("older lines came", lambda: page.js("return document.querySelector('[role=log]').scrollHeight") > 2000 * 18)
page.search("line 4999")
until("it is found", lambda: page.driver.find_element(By.ID, "count").text == "1")
assert page.named("link", "Raw").get_attribute("href") == f"{page.origin}app.log?lines=all&view=text"
page.open("a/b/other.log").shows("deeper")
page.driver.refresh()
page.shows("deeper")
asked = page.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
assert len(asked) > 15 and all(address.startswith(page.origin) for address in asked), asked
page.close()
nginx.close()
logs.close()
