"""Parts of the dashboard, each asked by itself, where a local cluster cannot show what they are for."""

# Where node 2 listens for people, its members' address, and where its dashboard is for a browser elsewhere.
LINKS = [
    ("127.0.0.1:7412", "127.0.0.1:7410", "https://127.0.0.1:7412/"),
    ("127.0.0.1:7402", "10.0.0.2:7400", None),
    ("[::1]:7402", "n2.example:7400", None),
    ("0.0.0.0:7402", "n2.example:7400", "https://n2.example:7402/"),
    ("10.0.0.2:7402", "n2.example:7400", "https://10.0.0.2:7402/"),
]

_LINK = """async ([admin, client]) => {
    const { dashboardOf } = await import("/dashboard/nodes.js");
    return dashboardOf({ client, status: { listeners: { admin } } }, "https:") ?? null;
}"""

# A node that has as many streams as it takes.
_BUSY = """async () => {
    const { Stream } = await import("/dashboard/stream.js");
    const own = window.fetch;
    const problem = { detail: "32 streams are open", hint: "Close a tab." };
    window.fetch = async () => new Response(JSON.stringify(problem), { status: 429 });
    const stream = new Stream("/admin/v1/stream", {});
    while (stream.answer === undefined) await new Promise((done) => setTimeout(done, 5));
    window.fetch = async () => { throw new TypeError("refused"); };
    const told = stream.answer;
    await stream.open();
    window.fetch = own;
    return [told, stream.answer ?? null];
}"""


def check_parts(page):
    for admin, client, address in LINKS:
        found = page.evaluate(_LINK, [admin, client])
        assert found == address, f"{admin} of {client}: {found} instead of {address}"
    told, afterwards = page.evaluate(_BUSY)
    assert told == "It answers 429: 32 streams are open. Close a tab.", told
    assert afterwards is None, afterwards
    print(f"{len(LINKS)} links, an answer that is no news")
