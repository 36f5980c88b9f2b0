"""What the dashboard says of clusters in states that are hard to bring about: `assess.js`, asked by itself."""


def node(number, role="follower", **changes):
    """A node that is well, of a cluster of three that node 1 leads."""
    result = {
        "node": number, "client": f"127.0.0.1:{number}", "reachable": True, "age_seconds": 0.01,
        "status": {
            "node": number, "draining": False, "disk": {"full": False, "free_bytes": 50, "total_bytes": 100},
            "cluster": {
                "role": role, "term": 7, "leader": 1, "health": {"may_vote": True, "damaged_segments": []},
                "nodes": [
                    {"node": 1, "membership": "voter"},
                    {"node": 2, "membership": "voter", "connected": True, "missing_bytes": 900, "lag_seconds": 0.002},
                    {"node": 3, "membership": "voter", "connected": True, "missing_bytes": 0, "lag_seconds": 0},
                ],
            },
        },
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        place = result
        for step in way:
            place = place[step]
        place[last] = value
    return result


def view(first=None, second=None, third=None, **changes):
    nodes = [first or node(1, "leader"), second or node(2), third or node(3)]
    return {"node": 1, "leader": 1, "term": 7, "nodes": nodes} | changes


def lagging():
    """As its leader tells of node 3."""
    result = node(1, "leader")
    result["status"]["cluster"]["nodes"][2] |= {"missing_bytes": 4_200_000, "lag_seconds": 3.1}
    return result


LEADERLESS = [node(number, "preCandidate", status__cluster__leader=None) for number in (1, 2, 3)]
SILENT = {"reachable": False, "reason": "connection refused"}

# The view, the level, the headline, and what else is found.
CASES = [
    (view(), "good", "Node 1 leads term 7. All 3 nodes are level.", []),
    (view(lagging()), "attention", "Node 1 leads term 7. Node 3 is 4.2 MB and 3.1 s behind.", []),
    (view(third=node(3, **SILENT)), "attention",
     "Node 1 leads term 7. Node 3 is silent: the other 2 go on without it.", []),
    (view(LEADERLESS[0], node(2, **SILENT), node(3, **SILENT), leader=None), "trouble",
     "Nodes 2 and 3 are silent: no majority is left, so appends wait.", []),
    (view(second=node(2, **SILENT), third=node(3, **SILENT)), "attention",
     "Node 1 leads term 7. Nodes 2 and 3 are silent: connection refused.", []),
    (view(node(1, "leader", **SILENT), node=2), "trouble",
     "Node 1 leads term 7, and does not answer node 2.", []),
    (view(*LEADERLESS, leader=None), "trouble", "No leader for 4 s: appends wait.", []),
    (view(*LEADERLESS[:2], node(3, **SILENT), leader=None), "trouble", "No leader for 4 s: appends wait.",
     ["Node 3 is silent."]),
    (view(third=node(3, status__cluster__health__damaged_segments=[12], status__repairing=12)), "attention",
     "Node 1 leads term 7. Node 3 is damaged in segment 12: being repaired from a peer.", []),
    (view(second=node(2, status__draining=True),
          third=node(3, status__cluster__health={"may_vote": False, "damaged_segments": [1, 2]})), "trouble",
     "Node 1 leads term 7. Node 3 is damaged in segments 1 and 2: waiting for a copy from a peer.",
     ["Node 2 is stopping.", "Node 3 does not vote until its log is whole again."]),
    (view(node(1, "leader", status__disk__full=True)), "trouble",
     "Node 1 leads term 7. Node 1 has no room for more of its log: it takes no appends, or soon none.", []),
    (view(third=node(3, status__cluster__retired="its disk was replaced")), "trouble",
     "Node 1 leads term 7. Node 3 is retired: its disk was replaced.", []),
]


def without_nulls(value):
    """As nodes write it: what is not known is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def check_sentences(page):
    for cluster, level, headline, findings in CASES:
        said = page.evaluate(
            "(view) => import('/dashboard/assess.js').then(({ assess }) => assess(view, 4.2))", without_nulls(cluster))
        told = (said["level"], said["headline"], [finding["text"] for finding in said["findings"]])
        assert told == (level, headline, findings), f"{told} instead of {(level, headline, findings)}"
    print(f"{len(CASES)} sentences")
