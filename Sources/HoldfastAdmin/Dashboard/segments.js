// The segment map: a row for each node, a cell for each segment, in the same column on every node.
//
// A log has one address everywhere, so a segment of the same number is the same on every node: what this node knows of
// its segments describes those of the others, and their states come from what they say of themselves.

import { ask } from "./gate.js";
import { bytes, count, element, named, setAttribute, setText } from "./words.js";

/** A longer log has several segments in a cell. */
const cellCountMax = 64;
const cellWidthMax = 44;
const detailsSecondsMin = 2;
/** Of a cell with several segments, the worst is shown. */
const badness = ["absent", "sealed", "active", "repairing", "quarantined"];

export class SegmentMap {
    #map = document.querySelector("#segments");
    #detail = document.querySelector("#segment-detail");
    #rows = new Map();
    /** What this node said of its segments, by their numbers. */
    #details = new Map();
    #fetchedAt = -Infinity;
    #fetchedFor;
    #isFetching = false;
    #chosen;

    constructor() {
        this.#map.addEventListener("keydown", (event) => this.#move(event));
        for (const kind of ["focusin", "pointerover", "click"]) {
            this.#map.addEventListener(kind, ({ target }) => {
                if (target.matches("button")) this.#choose(target);
            });
        }
        for (const kind of ["focusout", "pointerleave"]) {
            this.#map.addEventListener(kind, () => { this.#chosen = undefined; });
        }
    }

    show(view) {
        const nodes = view.nodes.filter((node) => node.status);
        const ranges = nodes.map((node) => range(node.status));
        const first = Math.min(...ranges.map((each) => each.first));
        const last = Math.max(...ranges.map((each) => each.last));
        const perCell = Math.max(1, Math.ceil((last - first + 1) / cellCountMax));
        for (const [number, row] of this.#rows) {
            if (nodes.some((node) => node.node === number)) continue;
            row.remove();
            this.#rows.delete(number);
        }
        nodes.forEach((node, place) => {
            const states = stateOf(node.status, ranges[place]);
            this.#fill(this.#row(node.node), node, cells(states, first, last, perCell));
        });
        this.#describe(nodes);
        this.#refresh(view);
    }

    #row(number) {
        if (!this.#rows.has(number)) {
            const row = element(
                "div", { class: "segments", role: "group", "data-node": number },
                element("span", { "aria-hidden": "true" }, `Node ${number}`), element("div"));
            this.#rows.set(number, row);
            this.#map.append(row);
        }
        return this.#rows.get(number);
    }

    #fill(row, node, wanted) {
        const buttons = row.lastChild;
        while (buttons.children.length > wanted.length) buttons.lastChild.remove();
        while (buttons.children.length < wanted.length) {
            buttons.append(element("button", { type: "button", class: "cell", tabindex: -1 }));
        }
        // Few segments are wide, and none is wider than that.
        buttons.style.maxWidth = `${wanted.length * cellWidthMax}px`;
        wanted.forEach((cell, place) => {
            const button = buttons.children[place];
            setAttribute(button, "data-state", cell.state);
            setAttribute(button, "aria-label", this.#words(node.node, cell));
        });
        // One stop for the tab key: arrows go on from there.
        if (!this.#map.querySelector("[tabindex='0']")) setAttribute(buttons.lastChild, "tabindex", 0);
        const bad = wanted.filter((cell) => ["quarantined", "repairing"].includes(cell.state)).flatMap((cell) => cell.bad);
        const damage = bad.length === 0 ? "all whole" : `${named("segment", bad)} damaged`;
        setAttribute(row, "aria-label", `Node ${node.node}: ${count(node.status.disk.segments)} segments, ${damage}`);
        setAttribute(row, "data-stale", node.reachable ? undefined : "");
    }

    #words(number, { first, last, state, bad }) {
        const known = this.#details.get(first);
        const place = `${segments(first, last)} on node ${number}: `;
        if (state === "absent") return `${place}not there`;
        if (first < last && bad.length > 0) return `${place}${named("segment", bad)} ${state}`;
        if (first < last || !known) return place + state;
        // It grows, and is not asked for each time.
        if (state === "active") return `${place}active, from record ${count(known.first_index)} on`;
        const records = known.records === 0
            ? "no records" : `records ${count(known.first_index)} to ${count(known.first_index + known.records - 1)}`;
        const terms = known.terms.length === 0 ? "" : `, ${named("term", known.terms)}`;
        return `${place}${state}, ${records}, ${bytes(known.bytes)}${terms}`;
    }

    /** Below the map stands the chosen segment, else what all of it comes to. */
    #describe(nodes) {
        if (this.#chosen?.isConnected) return setText(this.#detail, this.#chosen.getAttribute("aria-label"));
        const damaged = nodes.filter((node) => node.status.cluster.health?.damaged_segments.length > 0);
        const heard = nodes.every((node) => node.reachable) ? "" : ", as far as their nodes have told";
        setText(this.#detail, damaged.length === 0
            ? `All segments are whole${heard}.`
            : damaged.map(({ node, status: { cluster } }) =>
                `Node ${node}: ${named("segment", cluster.health.damaged_segments)} damaged`).join("; "));
    }

    #choose(button) {
        this.#map.querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
        button.setAttribute("tabindex", 0);
        this.#chosen = button;
        setText(this.#detail, button.getAttribute("aria-label"));
    }

    #move(event) {
        const row = [...event.target.parentElement.children];
        const place = row.indexOf(event.target);
        const rows = [...this.#map.querySelectorAll("div.segments > div")];
        const line = rows.indexOf(event.target.parentElement);
        const goal = {
            ArrowLeft: () => row[place - 1],
            ArrowRight: () => row[place + 1],
            ArrowUp: () => rows[line - 1]?.children[place],
            ArrowDown: () => rows[line + 1]?.children[place],
            Home: () => row[0],
            End: () => row.at(-1),
        }[event.key];
        if (!goal || event.target.tagName !== "BUTTON") return;
        event.preventDefault();
        goal()?.focus();
    }

    /** Asks for the segments again when they have changed, and not more often than people look. */
    async #refresh(view) {
        const { status } = view.nodes.find((node) => node.node === view.node);
        const { cluster, started } = status;
        const version = `${started} ${cluster.first_index} ${range(status).last} ${cluster.health?.segments_repaired}`;
        const age = (performance.now() - this.#fetchedAt) / 1000;
        if (this.#isFetching || version === this.#fetchedFor || age < detailsSecondsMin) return;
        this.#isFetching = true;
        try {
            const answer = await ask("/admin/v1/segments");
            if (!answer.ok) return;
            const { segments } = await answer.json();
            this.#details = new Map(segments.map((segment) => [segment.segment, segment]));
            this.#fetchedFor = version;
        } catch {
            // The node is gone: the page says so above, and the map goes without these details.
        } finally {
            this.#fetchedAt = performance.now();
            this.#isFetching = false;
        }
    }
}

/** The numbers of a node's segments. */
function range(status) {
    const last = Number(status.cluster.tail.split(":")[0]);
    return { first: Math.max(0, last - status.disk.segments + 1), last };
}

function stateOf(status, { first, last }) {
    const damaged = new Set(status.cluster.health?.damaged_segments);
    return (segment) => {
        if (segment === status.repairing) return "repairing";
        if (damaged.has(segment)) return "quarantined";
        if (segment < first || segment > last) return "absent";
        return segment === last ? "active" : "sealed";
    };
}

function cells(state, first, last, perCell) {
    const result = [];
    for (let begin = first; begin <= last; begin += perCell) {
        const end = Math.min(last, begin + perCell - 1);
        const cell = { first: begin, last: end, state: "absent", bad: [] };
        for (let segment = begin; segment <= end; segment += 1) {
            const each = state(segment);
            if (badness.indexOf(each) > badness.indexOf(cell.state)) cell.state = each;
            if (each === "quarantined" || each === "repairing") cell.bad.push(segment);
        }
        result.push(cell);
    }
    return result;
}

function segments(first, last) {
    return first === last ? `Segment ${first}` : `Segments ${first} to ${last}`;
}
