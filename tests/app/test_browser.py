"""The page in a real browser: every task, uploads, mistakes, keyboard, narrow screens, dark mode, no other server."""

import csv
import json
import shutil
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from sounds import save_classifier_of_sounds, write_sound

from chainhead_plugin.app.opened import OpenModels
from chainhead_plugin.app.response import DRAWING, FILE, TEXT, Given, respond
from chainhead_plugin.app.samples import samples_of

gradio = pytest.importorskip("gradio", reason="the extra app is not installed")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not (BROWSER and DRIVER):
    pytest.skip("chromium and chromedriver are not installed", allow_module_level=True)

SERVE = """
import sys
from chainhead_plugin.app import serve
print(serve(sys.argv[1:], blocking=False), flush=True)
input()
"""
SECONDS = 60


def rows_of(name):
    return next(iter(samples_of(name).values())).data.nodes


def write_rows(name, file):
    rows = rows_of(name)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([f"feature_{number}" for number in range(rows.shape[1])])
        writer.writerows(["" if np.isnan(cell) else cell for cell in row] for row in rows.tolist())


def write_words(name, file):
    file.write_text(next(iter(samples_of(name).values())).data)


def write_image(name, file):
    next(iter(samples_of(name).values())).data.save(file)


def write_tone(name, file):
    write_sound(file, 2**14 * np.sin(np.arange(400) / 5), 16_000)


# A model of each task, the file that is uploaded, and who writes it.
TASKS = {
    "time-series-classification": ("chainhead-italy-power", "day.csv", write_rows),
    "time-series-forecasting": ("chainhead-ridership", "past.csv", write_rows),
    "time-series-segmentation": ("chainhead-speakers", "talk.csv", write_rows),
    "image-classification": ("chainhead-mnist", "figure.png", write_image),
    "text-classification": ("chainhead-sentiment", "review.txt", write_words),
    "audio-classification": ("sounds", "tone.wav", write_tone),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the model of sounds lies, and the page runs."""
    folder = tmp_path_factory.mktemp("page")
    save_classifier_of_sounds(folder / "sounds")
    return folder


@pytest.fixture(scope="module")
def address(folder):
    """The page, shown by a process of its own."""
    names = [*[name for name, _, _ in TASKS.values()], "chainhead-gunpoint"]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *names],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        yield served.stdout.readline().strip()
        served.kill()


@pytest.fixture(scope="module")
def browser():
    """A browser without a window that keeps a log of its requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service(DRIVER))
    yield started
    started.quit()


@pytest.fixture
def page(browser, address):
    """The page, just opened on a wide screen; after the test, it must have asked no other server for anything."""
    browser.set_window_size(1100, 1600)
    browser.get(address)
    yield Page(browser)
    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        request["params"]["request"]["url"]
        for request in requests
        if request["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:", "chrome"))]
    assert "Traceback" not in browser.page_source


class Page:
    """What a user sees and does."""

    def __init__(self, browser):
        self.browser = browser

    def part(self, name):
        return self.browser.find_element("id", name)

    def inside(self, name, tag):
        return self.part(name).find_elements("tag name", tag)

    def is_shown(self, name):
        return any(found.is_displayed() for found in self.browser.find_elements("id", name))

    def click(self, name):
        self.part(name).click()

    def write(self, field, name):
        from selenium.webdriver.common.keys import Keys

        [entry] = self.inside(field, "input")
        entry.click()
        entry.send_keys(Keys.CONTROL, "a")
        entry.send_keys(name, Keys.ENTER)

    def open_model(self, name, task):
        wait(lambda: "Task: " in self.part("about").text)
        self.write("model", name)
        wait(lambda: f"Task: {task}" in self.part("about").text)

    def choose(self, label):
        wait(lambda: label in self.part("source").text)
        for found in self.inside("source", "label"):
            if found.text.strip() == label:
                found.click()

    def upload(self, part, *files):
        wait(lambda: self.inside(part, "input"))
        self.inside(part, "input")[0].send_keys("\n".join(map(str, files)))
        wait(lambda: all(file.name[:3] in self.part(part).text for file in files))


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
        time.sleep(0.1)
    raise AssertionError("the page did not come to this in time")


def sentence_of(models, name, given):
    [panel] = respond(models, name, "", given).panels
    return f"{name}: {panel.answer.sentence}".replace("**", "")


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_an_upload_and_tells_a_mistake(page, folder, tmp_path, task, monkeypatch):
    name, file_name, write = TASKS[task]
    file = tmp_path / file_name
    write(name, file)
    broken = tmp_path / f"broken{file.suffix}"
    broken.write_bytes(b"\x00\xff nothing that a model takes \x80")
    monkeypatch.chdir(folder)
    wanted = sentence_of(OpenModels([name]), name, Given(FILE, file=file))

    page.open_model(name, task)
    page.choose(FILE)
    page.upload("file", broken)
    page.click("go")
    wait(lambda: "broken" in page.part("message").text)
    assert not page.is_shown("answer-1")

    page.browser.refresh()
    page.open_model(name, task)
    page.choose(FILE)
    page.upload("file", file)
    page.click("go")
    wait(lambda: wanted in page.part("answer-1").text)
    wait(lambda: page.inside("answer-1", "img"))
    assert not page.is_shown("message")


@pytest.mark.slow
def test_by_keyboard_on_a_narrow_dark_screen(page, address):
    from selenium.webdriver.common.keys import Keys

    page.browser.get(f"{address}?__theme=dark")
    wait(lambda: "Task: time-series-classification" in page.part("about").text)
    assert "dark" in page.browser.find_element("tag name", "body").get_attribute("class")
    page.part("go").send_keys(Keys.ENTER)
    wait(lambda: "chainhead-italy-power: October to March" in page.part("answer-1").text)
    wait(lambda: len(page.inside("answer-1", "img")) == 3)
    assert not page.is_shown("answer-2")

    page.browser.set_window_size(400, 900)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.browser.execute_script(wide) == 0


@pytest.mark.slow
def test_written_numbers(page):
    wait(lambda: "Task: time-series-classification" in page.part("about").text)
    page.choose(TEXT)
    wait(lambda: page.part("text").is_displayed())
    [field] = page.inside("text", "textarea")
    field.send_keys("1, 2, x")
    page.click("go")
    wait(lambda: "The text, row 3" in page.part("message").text)
    field.clear()
    field.send_keys(", ".join(map(str, range(24))))
    page.click("go")
    wait(lambda: "chainhead-italy-power: " in page.part("answer-1").text)
    assert not page.is_shown("message")


@pytest.mark.slow
def test_a_drawing(page):
    from selenium.webdriver import ActionChains

    page.open_model("chainhead-mnist", "image-classification")
    page.choose(DRAWING)
    wait(lambda: page.inside("drawing", "canvas"))
    page.click("go")
    wait(lambda: "Draw something first" in page.part("message").text)

    page.browser.find_element("css selector", "#drawing button[aria-label=Brush]").click()
    canvas = page.inside("drawing", "canvas")[-1]
    ActionChains(page.browser).move_to_element_with_offset(canvas, 0, -60).click_and_hold().move_by_offset(
        0, 60
    ).move_by_offset(0, 60).release().perform()
    page.click("go")
    wait(lambda: "chainhead-mnist: 1" in page.part("answer-1").text)


@pytest.mark.slow
def test_two_models(page):
    page.open_model("chainhead-italy-power", "time-series-classification")
    page.write("other", "chainhead-speakers")
    page.click("go")
    wait(lambda: "takes other inputs" in page.part("message").text)
    page.write("other", "chainhead-gunpoint")
    page.click("go")
    wait(lambda: "chainhead-gunpoint: " in page.part("answer-2").text)
    assert "The models differ" in page.part("note").text


@pytest.mark.slow
def test_many_at_once_and_the_file_of_answers(page, tmp_path):
    name = "chainhead-italy-power"
    files = [tmp_path / f"{day}.csv" for day in ("monday", "tuesday")]
    for file in files:
        write_rows(name, file)
    page.open_model(name, "time-series-classification")
    for tab in page.browser.find_elements("css selector", "button[role=tab]"):
        if tab.text == "Many at once":
            tab.click()
    page.upload("files", *files)
    page.click("many")
    wait(lambda: page.inside("download", "a"))
    [link, *_] = [link.get_attribute("href") for link in page.inside("download", "a")]
    with urllib.request.urlopen(link) as answered:
        rows = list(csv.DictReader(answered.read().decode().splitlines()))
    assert [row["file"] for row in rows] == ["monday.csv", "tuesday.csv"]
    assert {row["label"] for row in rows} == {"October to March"}
