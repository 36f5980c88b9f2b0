// The table of nodes: who they are, how far they are, how old what is known of them is.

import { lag } from "./assess.js";
import { bytes, count, element, setAttribute, setText, span, unknown, utc, wholeSpan } from "./words.js";

const columns = ["Node", "Role", "Heard", "Committed", "Log ends at", "Behind", "Sync p99", "Disk", "Up"];

const roles = {
    leader: "Leader",
    follower: "Follower",
    candidate: "Asks for votes",
    preCandidate: "Looks for a leader",
    forming: "Waits to form",
    retired: "Retired",
};

export class NodeTable {
    #body = document.querySelector("#nodes tbody");
    #rows = new Map();

    /** @param quietSeconds How old the view itself is. */
    show(view, quietSeconds) {
        for (const [number, row] of this.#rows) {
            if (view.nodes.some((node) => node.node === number)) continue;
            row.remove();
            this.#rows.delete(number);
        }
        for (const node of view.nodes) this.#fill(this.#row(node.node), view, node, quietSeconds);
    }

    #row(number) {
        if (!this.#rows.has(number)) {
            const cells = columns.map((column, place) => place === 0
                ? element("th", { scope: "row", role: "rowheader" }, element("span"), element("small"))
                : element("td", { role: "cell", "data-label": column }, element("span"), element("small")));
            const row = element("tr", { role: "row", "data-node": number }, ...cells);
            this.#rows.set(number, row);
            this.#body.append(row);
        }
        return this.#rows.get(number);
    }

    #fill(row, view, node, quietSeconds) {
        const { status, reachable } = node;
        setAttribute(row, "data-role", reachable ? status.cluster.role : "silent");
        const log = status ? known(view, node) : columns.slice(3).map(() => [unknown]);
        [role(node), heard(node, quietSeconds), ...log].forEach(([text, note, title], place) => {
            const cell = row.cells[place + 1];
            setText(cell.firstChild, text);
            setText(cell.lastChild, note ?? "");
            setAttribute(cell, "title", title);
        });
        name(row.cells[0], view, node);
    }
}

// Each of these says what stands in a cell: a text, a note below it, and a title.

/** The node's name, and where its own dashboard is. */
function name(cell, view, node) {
    const isOwn = node.node === view.node;
    const address = isOwn ? undefined : dashboardOf(node);
    setText(cell.lastChild, isOwn ? "tells this page" : node.client);
    const text = `Node ${node.node}`;
    const link = cell.firstChild.querySelector("a");
    if (cell.firstChild.textContent === text && link?.getAttribute("href") === address) return;
    cell.firstChild.replaceChildren(address ? element("a", { href: address }, text) : text);
}

/**
 * Where another node's dashboard is, as this browser may reach it; `undefined` while the node has not said, and when it
 * can be reached on the node's own machine only.
 */
export function dashboardOf(node, protocol = location.protocol) {
    const admin = node.status?.listeners.admin;
    if (!admin) return undefined;
    const [host, port] = parts(admin);
    const [member] = parts(node.client);
    if (isLoopback(host) && !isLoopback(member)) return undefined;
    // It listens everywhere: then the members' address of it is one that others use.
    const isAnywhere = ["0.0.0.0", "[::]", "::"].includes(host);
    return `${protocol}//${isAnywhere ? member : host}:${port}/`;
}

function isLoopback(host) {
    return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

/** The host and the port of an address. */
function parts(address) {
    const colon = address.lastIndexOf(":");
    return [address.slice(0, colon), address.slice(colon + 1)];
}

function role({ status, reachable, reason }) {
    if (!reachable) return ["Silent", reason];
    const { cluster, draining } = status;
    const word = roles[cluster.role] ?? cluster.role;
    if (draining) return [word, "stopping"];
    if (cluster.health?.may_vote === false) return [word, "without a vote"];
    const own = cluster.nodes.find((member) => member.node === status.node);
    return [word, own?.membership === "voter" ? "" : own?.membership];
}

/** The columns behind "Heard". */
function known(view, node) {
    const { cluster, disk, recent, started } = node.status;
    const since = new Date(started);
    const upSeconds = Math.max(0, (new Date(node.status.time) - since) / 1000);
    const tail = cluster.tail_index ?? cluster.last_index;
    return [
        [count(cluster.last_index), `at ${cluster.commit}`, "the last committed record, and its end as segment:offset"],
        [count(tail), `at ${cluster.tail}`, "the last record, committed or not, and its end as segment:offset"],
        behind(view, node.node),
        [recent.sync_seconds ? span(recent.sync_seconds.p99) : unknown, node.status.policy],
        [`${bytes(disk.log_bytes)} log`, disk.free_bytes === undefined ? "" : `${bytes(disk.free_bytes)} free`],
        [span(upSeconds), "", `started ${since.toLocaleString()}, ${utc(since)}`],
    ];
}

function behind(view, number) {
    if (number === view.leader) return [unknown, "", "the others are measured by it"];
    const distance = lag(view, number);
    if (!distance) return ["unknown", "", "only a leader knows"];
    const text = distance.isLevel ? "level" : bytes(distance.bytes);
    if (!distance.member.connected) return [text, "not connected"];
    if (distance.isLevel) return [text, distance.bytes > 0 ? `${bytes(distance.bytes)} on the way` : ""];
    return [text, distance.seconds === undefined ? "" : span(distance.seconds)];
}

function heard(node, quietSeconds) {
    if (node.age_seconds === undefined) return ["never"];
    const age = node.age_seconds + quietSeconds;
    return age < 3 ? ["now"] : [`${wholeSpan(age)} ago`, node.reachable ? "" : "what stands here is old"];
}
