#!/usr/bin/env python3
"""Opens a page of `basin report` in headless Chromium and does what people do: tests/report.sh.

report.py PAGE --curve TITLE METRIC CSV [--slides N] [--shots FOLDER] [--chromium PROGRAM]

Reads the curve METRIC of the chart TITLE off its legend at every epoch and compares with the column of CSV (of
`basin run --log-csv`), switches it to a logarithmic scale and back, moves every slider through its moments, and
prints the page. Anything that the page asks of a network, any error or message on the console, and any violation
of its own policy is a failure. Talks to Chromium through a pipe, by Python's own library alone.
"""

import argparse
import base64
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile


class Browser:
    def __init__(self, program):
        ours, theirs = os.pipe(), os.pipe()  # commands, answers
        self.profile = tempfile.TemporaryDirectory(prefix="basin-chromium-")

        def pass_pipe():
            # As descriptors 3 and 4, wherever the pipe's own ends are.
            reading, writing = os.dup(ours[0]), os.dup(theirs[1])
            high = [os.dup2(reading, 103), os.dup2(writing, 104)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--window-size=1280,1000",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            close_fds=False, preexec_fn=pass_pipe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.commands, self.answers = ours[1], os.fdopen(theirs[0], "rb")
        self.count, self.session, self.events = 0, None, []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __call__(self, method, **parameters):
        """Sends a command and waits for its answer; what happens meanwhile goes to `events`."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def next(self):
        data = b""
        while not data.endswith(b"\0"):
            byte = self.answers.read1(1)
            if not byte:
                raise RuntimeError("Chromium has ended")
            data += byte
        message = json.loads(data[:-1])
        if "method" in message:
            self.events.append(message)
        return message

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            self.next()

    def evaluate(self, script):
        answer = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def end(self):
        self.session = None
        try:
            self("Browser.close")
        except RuntimeError:
            pass
        self.process.wait(timeout=60)
        self.profile.cleanup()


# A chart by its title, with its data; unfolded and scrolled to.
FIND = """(() => {
  const holder = [...document.querySelectorAll('.chart')].find(c => c.querySelector('h4').textContent === %s);
  if (!holder) return null;
  const folded = holder.closest('details');
  if (folded) folded.open = true;
  holder.scrollIntoView({block: 'center'});
  return new Promise(done => setTimeout(() => {
    const over = holder.querySelector('.u-over'), box = over.getBoundingClientRect();
    const data = JSON.parse(holder.querySelector('script').textContent);
    done({left: box.left, top: box.top, width: box.width, height: box.height, x: data.x,
          lines: data.lines.map(l => l.label)});
  }, 300));
})()"""
LEGEND = """[...[...document.querySelectorAll('.chart')].find(c => c.querySelector('h4').textContent === %s)
  .querySelectorAll('.u-legend .u-series')].map(s => [s.querySelector('.u-label').textContent,
  s.querySelector('.u-value').textContent])"""
PRESS = """[...document.querySelectorAll('.chart')].find(c => c.querySelector('h4').textContent === %s)
  .querySelector('button').click()"""


def expect(condition, message):
    if not condition:
        raise SystemExit(f"report.py: {message}")


def read_curve(browser, title, metric, table):
    """Every number of a curve, by moving the pointer to its epoch and reading the legend."""
    with open(table) as file:
        rows = list(csv.DictReader(file))
    expected = {int(row["epoch"]): float(row[metric.split(': ')[-1]]) for row in rows}
    name = json.dumps(title)
    for _ in range(2):  # linear, then logarithmic
        chart = browser.evaluate(FIND % name)
        expect(chart, f"expected a chart '{title}', found none")
        first, last = chart["x"][0], chart["x"][-1]
        for epoch, number in expected.items():
            at = chart["left"] + (epoch - first) / max(last - first, 1) * chart["width"]
            at = min(max(at, chart["left"] + 1), chart["left"] + chart["width"] - 1)
            browser("Input.dispatchMouseEvent", type="mouseMoved", x=at, y=chart["top"] + chart["height"] / 2)
            browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            legend = dict(browser.evaluate(LEGEND % name))
            expect(legend.get("epoch") == str(epoch), f"expected epoch {epoch} below the pointer, read {legend}")
            read = float(legend.get(metric) or "nan")
            expect(abs(read - number) <= 1e-5 * abs(number), f"expected {metric} = {number} of epoch {epoch}, read {read}")
        browser.evaluate(PRESS % name)
    return len(expected)


def slide(browser):
    """Moves every slider by keys; the picture and its label follow."""
    moments = browser.evaluate("[...document.querySelectorAll('.slides')].map(s => s.querySelectorAll('img').length)")
    for i, count in enumerate(moments):
        browser.evaluate(f"document.querySelectorAll('.slides input')[{i}].focus()")
        seen = []
        for key in ["Home"] + ["ArrowRight"] * (count - 1):
            code = {"Home": 36, "ArrowRight": 39}[key]
            for kind in ("keyDown", "keyUp"):
                browser("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
            seen.append(browser.evaluate(
                f"""(() => {{ const s = document.querySelectorAll('.slides')[{i}];
                const shown = [...s.querySelectorAll('img')].filter(m => m.offsetHeight > 0 && m.naturalWidth > 0);
                return [shown.length, shown[0] && shown[0].alt, s.querySelector('output').textContent, shown[0] && shown[0].src];
                }})()"""))
        expect(all(one == 1 and alt == label for one, alt, label, _ in seen),
               f"expected one picture, with its label, at each moment of slider {i + 1}, saw {[s[:3] for s in seen]}")
        expect(len({label for _, _, label, _ in seen}) == count, f"expected {count} moments of slider {i + 1}")
        expect(len({source for _, _, _, source in seen}) > 1, f"expected slider {i + 1} to show a change")
    return len(moments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--curve", nargs=3, metavar=("TITLE", "METRIC", "CSV"))
    parser.add_argument("--slides", type=int, default=0, help="how many sliders there must be")
    parser.add_argument("--shots", type=pathlib.Path, help="keep pictures of screen and print there")
    parser.add_argument("--chromium", default="chromium")
    arguments = parser.parse_args()

    browser = Browser(arguments.chromium)
    try:
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser(f"{domain}.enable")
        address = arguments.page.resolve().as_uri()
        browser("Page.navigate", url=address)
        browser.wait_for("Page.loadEventFired")
        browser.evaluate("new Promise(done => setTimeout(done, 500))")
        said = [f"{browser.evaluate('document.title')}:"]
        broken = browser.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length")
        expect(broken == 0, f"expected pictures that can be shown, {broken} cannot")
        said.append(f"{browser.evaluate('document.images.length')} pictures")
        said.append(f"{browser.evaluate('document.querySelectorAll(`canvas`).length')} charts")
        if arguments.curve:
            count = read_curve(browser, *arguments.curve)
            said.append(f"{count} numbers of {arguments.curve[1]} read off its curve")
        sliders = slide(browser)
        expect(sliders >= arguments.slides, f"expected {arguments.slides} sliders, found {sliders}")
        said.append(f"{sliders} sliders moved")
        wide = browser.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        expect(not wide, "expected a page as wide as its window, it scrolls to the side")
        printed = base64.b64decode(browser("Page.printToPDF", printBackground=False)["data"])
        expect(printed.startswith(b"%PDF"), "expected the page to be printed")
        if arguments.shots:
            arguments.shots.mkdir(parents=True, exist_ok=True)
            (arguments.shots / "print.pdf").write_bytes(printed)
            browser.evaluate("scrollTo(0, 0)")
            shot = browser("Page.captureScreenshot", captureBeyondViewport=True)
            (arguments.shots / "screen.png").write_bytes(base64.b64decode(shot["data"]))

        for event in browser.events:
            method, parameters = event["method"], event["params"]
            if method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                expect(url == address or url.startswith("data:"), f"expected nothing to be fetched, the page asked for {url}")
            elif method == "Runtime.exceptionThrown":
                expect(False, f"expected no error, found {parameters['exceptionDetails']}")
            elif method == "Runtime.consoleAPICalled" or method == "Log.entryAdded":
                expect(False, f"expected nothing on the console, found {parameters}")
        print(", ".join(said).replace(":,", ":"))
    finally:
        browser.end()


if __name__ == "__main__":
    sys.exit(main())
