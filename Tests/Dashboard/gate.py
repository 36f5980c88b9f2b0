"""Opens the dashboard of a node that asks for tokens: gate.py URL TOKEN

Without a token the page asks for one, says when one is not taken, keeps the right one over a reload of the tab, and shows it to
nobody.
"""

import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

URL, TOKEN = sys.argv[1:]

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(URL)
    expect(page.locator("#gate-text")).to_contain_text("The node asks who you are.")
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    assert Axe().run(page).violations_count == 0
    page.keyboard.type("hf_guessed")
    page.keyboard.press("Enter")
    expect(page.locator("#gate-text")).to_contain_text("does not take this token")
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#headline")).to_contain_text("Node 1 leads term")
    expect(page.locator("#gate")).to_be_hidden()
    assert TOKEN not in page.content()
    page.reload()
    expect(page.locator("#headline")).to_contain_text("Node 1 leads term")
    other = browser.new_page()
    other.goto(URL)
    expect(other.locator("#gate")).to_be_visible()
    browser.close()
