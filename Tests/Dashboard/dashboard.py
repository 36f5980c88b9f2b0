"""Looks at the dashboard of a running cluster of three, and does to the cluster what an operator fears.

    dashboard.py HOLDFAST CLUSTER_DIRECTORY PAGE_OF_FIRST_NODE [SCREENSHOT]

What happens to the cluster has to stand on the page within a second of a node's knowing it. Prints a line for each thing that
was seen, with its delay. With SCREENSHOT, a picture of the page goes there.
"""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from playwright.sync_api import expect, sync_playwright

from look import check_access, check_figures, check_segments, check_timeline
from parts import check_parts
from sentences import check_sentences

HOLDFAST, DIRECTORY, PORT = sys.argv[1], sys.argv[2], urllib.parse.urlsplit(sys.argv[3]).port
NODES = (1, 2, 3)
WITHIN_SECONDS = 1.0
BEGAN = time.monotonic()


def cluster(*arguments):
    subprocess.run([HOLDFAST, "cluster", *arguments, "--data-dir", DIRECTORY], check=True, capture_output=True)


def client(node):
    return f"127.0.0.1:{PORT - 2 + (node - 1) * 10}"


def url(node):
    return f"http://127.0.0.1:{PORT + (node - 1) * 10}/"


def status(node):
    try:
        with urllib.request.urlopen(url(node) + "admin/v1/status", timeout=1) as answer:
            return json.load(answer)
    except OSError:
        return None


def until(what, condition, seconds=20):
    """Waits until a condition holds, and returns what it found."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return found


def leader(among=NODES, after=0):
    """The node that leads in a later term, and its term."""
    for node in among:
        said = status(node)
        if said and said["cluster"]["role"] == "leader" and said["cluster"]["term"] > after:
            return node, said["cluster"]["term"]
    return None


def shown(what, page, *conditions):
    """Asked from outside: the page's own policy lets nobody evaluate text in it, as `wait_for_function` does."""
    until(what, lambda: page.evaluate(" && ".join(f"({condition})" for condition in conditions)))


def seen(what, page, *conditions):
    """The page shows in time what is true by now: conditions are JavaScript, and hold together."""
    started = time.monotonic()
    shown(what, page, *conditions)
    delay = time.monotonic() - started
    print(f"{what}: {delay * 1000:.0f} ms (at {started - BEGAN:.1f} s)")
    assert delay < WITHIN_SECONDS, f"{what}: only after {delay:.2f} s"


def text(selector):
    return f"(document.querySelector(`{selector}`)?.innerText ?? '')"


def headline(words):
    return f"{text('#headline')}.includes(`{words}`)"


def row(node, role):
    return f"document.querySelector(`#nodes [data-node='{node}']`)?.dataset.role === '{role}'"


def field(node, label):
    return text(f"#nodes [data-node='{node}'] [data-label='{label}'] > span")


def event(node, words):
    said = f"li.innerText.includes(`Node {node}`) && li.innerText.includes(`{words}`)"
    return f"[...document.querySelectorAll('#events li')].some((li) => {said})"


def cell(node, state):
    return f"document.querySelector(`.segments[data-node='{node}'] [data-state='{state}']`)"


def all_is_well(page):
    expect(page.locator("#headline")).to_contain_text("All 3 nodes are level.", timeout=20_000)


def check_keyboard(page):
    """The tab key comes by everything and out again; arrows go through the segments."""
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "document.activeElement === document.body ? null"
            " : document.activeElement.id || document.activeElement.className || document.activeElement.innerText"
            " || document.activeElement.name")
        if stop is None or (stops and stop == stops[0]):
            break
        stops.append(stop)
    else:
        raise AssertionError(f"the tab key does not come out again: {stops}")
    names = ("skip", "Node ", "The last minute in numbers", "cell", "elections", "nodes", "events", "openapi.json")
    for name in names:
        assert any(stop.startswith(name) for stop in stops), f"the tab key passes {name} by: {stops}"
    page.locator(".segments button[tabindex='0']").focus()
    page.keyboard.press("Home")
    expect(page.locator("#segment-detail")).to_contain_text("Segment 0 on node")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#segment-detail")).to_contain_text("Segment 1 on node")
    print(f"keyboard: {len(stops)} stops")


def check_failover(page, watcher, old, term):
    cluster("kill", f"n{old}")
    new, term = until("a new leader", lambda: leader([node for node in NODES if node != old], after=term))
    seen("a new leader", page, headline(f"Node {new} leads term {term}."), row(new, "leader"), row(old, "silent"),
         event(new, f"leads in term {term}"), f"{text('#spoken')}.includes(`Node {new} leads`)")
    cluster("start", f"n{old}")
    all_is_well(page)
    return new


def check_pause(page, node, leading):
    """A node that hangs counts as silent after 400 ms without an answer; its lag is what its leader knows."""
    cluster("pause", f"n{node}")
    time.sleep(0.4)
    seen("a silent node", page, row(node, "silent"), headline(f"Node {node} is silent"))

    def missing():
        return next(each for each in status(leading)["cluster"]["nodes"] if each["node"] == node)["missing_bytes"] > 2 << 20

    until("the node to lag", missing)
    seen("its lag", page, f"/^[2-9](\\.\\d)? MB/.test({field(node, 'Behind')})")
    behind = text(f"#nodes [data-node='{node}'] [data-label='Behind']")
    shown("its lag in seconds", page, f"/MB\\s+[\\d.]+ s$/.test({behind})")
    shown("its age", page, f"/^[3-9] s ago/.test({field(node, 'Heard')})")
    cluster("resume", f"n{node}")
    all_is_well(page)


def check_damage(page, node):
    """The others hang, so that the damage stays for a while; the page is the damaged node's own."""
    others = [other for other in NODES if other != node]
    for other in others:
        cluster("pause", f"n{other}")
    expect(page.locator("#headline")).to_contain_text("no majority is left")
    cluster("corrupt", f"n{node}", "--segment", "1", "--offset", "400000", "--running")
    reading = [HOLDFAST, "read", "--server", client(node), "--consistency", "committed", "--timeout", "1s"]
    subprocess.run(reading, capture_output=True)
    until("the damage to be found", lambda: status(node)["cluster"]["health"]["damaged_segments"] == [1])
    seen("damage", page, f"{cell(node, 'quarantined')} || {cell(node, 'repairing')}", event(node, "damage found in segment 1"),
         f"{text('#findings')}.includes('Node {node} is damaged in segment 1')")
    check_access(page, "damaged, without a majority")
    for other in others:
        cluster("resume", f"n{other}")
    until("the repair", lambda: status(node)["cluster"]["health"]["damaged_segments"] == [])
    seen("its repair", page, event(node, "segment 1 is whole again"),
         f"!{cell(node, 'quarantined')} && !{cell(node, 'repairing')}")
    all_is_well(page)


def check_own_end(page, node):
    """The node of the page ends: the page says what it is worth, where to look instead, and comes back."""
    cluster("kill", f"n{node}")
    expect(page.locator("#silence-text")).to_contain_text(f"Node {node} is silent: no news for", timeout=6_000)
    expect(page.locator("#silence-text")).to_contain_text("shows what was known at")
    links = page.locator("#silence-others a").evaluate_all("(links) => links.map((link) => link.href)")
    assert links == [url(other) for other in NODES if other != node], links
    check_access(page, "silent")
    cluster("start", f"n{node}")
    expect(page.locator("#silence")).to_be_hidden(timeout=15_000)
    all_is_well(page)
    print("the page outlives its node")


def main():
    old, term = until("a leader", leader)
    watcher, other = [node for node in NODES if node != old]
    servers = ",".join(client(node) for node in NODES)
    load = subprocess.Popen(
        [HOLDFAST, "bench", "append", "--server", servers, "--rate", "800", "--size", "1500", "--duration", "60s"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda message: problems.append(message.text))
            page.goto(url(watcher))
            all_is_well(page)
            check_sentences(page)
            check_parts(page)
            check_access(page, "all is well")
            new = check_failover(page, watcher, old, term)
            paused = next(node for node in NODES if node not in (watcher, new))
            check_pause(page, paused, new)
            check_keyboard(page)
            check_figures(page, lambda: status(watcher)["cluster"]["last_index"])
            check_segments(page)
            check_timeline(page)
            if len(sys.argv) > 4:
                page.evaluate("document.activeElement.blur()")
                page.screenshot(path=sys.argv[4], clip={"x": 0, "y": 0, "width": 1280, "height": 1000}, full_page=True)
            load.terminate()
            load.wait()
            page.get_by_role("link", name=f"Node {paused}").click()
            all_is_well(page)
            check_damage(page, paused)
            check_own_end(page, paused)
        finally:
            load.kill()
            browser.close()
    # That a node which was killed does not answer is no news.
    problems = [problem for problem in problems if "net::ERR_" not in problem]
    assert problems == [], problems


main()
