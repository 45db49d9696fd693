"""The page in a real browser: answers, mistakes, keyboard, narrow screens, dark mode; and no request elsewhere."""

import json
import shutil
import subprocess
import sys
import time

import pytest

gradio = pytest.importorskip("gradio", reason="the extra app is not installed")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not (BROWSER and DRIVER):
    pytest.skip("chromium and chromedriver are not installed", allow_module_level=True)

SERVE = """
from chainhead_plugin.app import serve
print(serve(["chainhead-italy-power", "chainhead-gunpoint"], blocking=False), flush=True)
input()
"""
SECONDS = 60


@pytest.fixture
def address():
    """The page, shown by a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as served:
        yield served.stdout.readline().strip()
        served.kill()


@pytest.fixture
def driver():
    """A browser without a window that keeps a log of its requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,1600"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service(DRIVER))
    yield started
    started.quit()


def wait(condition):
    """Wait until a condition holds; elements come and go while the page is drawn."""
    from selenium.common.exceptions import WebDriverException

    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if condition():
                return
        except WebDriverException:
            pass
        time.sleep(0.2)
    raise AssertionError("the page did not come to this in time")


@pytest.mark.slow
def test_the_page(address, driver):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    def part(name):
        return driver.find_element(By.ID, name)

    driver.get(f"{address}?__theme=dark")
    wait(lambda: "Task: time-series-classification" in part("about").text)
    assert "dark" in driver.find_element(By.TAG_NAME, "body").get_attribute("class")

    part("go").send_keys(Keys.ENTER)
    wait(lambda: "chainhead-italy-power: October to March" in part("answer-1").text)
    wait(lambda: len(part("answer-1").find_elements(By.TAG_NAME, "img")) == 3)
    assert not driver.find_elements(By.ID, "answer-2")

    driver.set_window_size(400, 900)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(wide) == 0

    def choose(label):
        for found in part("source").find_elements(By.TAG_NAME, "label"):
            if found.text.strip() == label:
                found.click()

    choose("Text")
    wait(lambda: part("text").is_displayed())
    part("text").find_element(By.TAG_NAME, "textarea").send_keys("1, 2, x")
    part("go").click()
    wait(lambda: "The text, row 3" in part("message").text)
    assert "Traceback" not in driver.page_source

    requests = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        request["params"]["request"]["url"]
        for request in requests
        if request["method"] == "Network.requestWillBeSent"
    ]
    assert len(asked) > 10
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:", "chrome"))]
