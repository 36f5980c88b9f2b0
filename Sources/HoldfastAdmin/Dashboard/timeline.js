// What happened to the nodes, newest first.

import { element, setAttribute, setText, time } from "./words.js";

const eventCountMax = 200;

/** What people filter by, and the kinds of events that belong there. */
const groups = [
    { name: "elections", kinds: ["role", "transfer", "vote"] },
    { name: "damage and repair", kinds: ["damage", "repair", "disk"] },
    { name: "segments", kinds: ["rotation", "trim", "truncation"] },
    { name: "nodes", kinds: ["start", "peer", "membership", "behind", "level", "refusal", "retirement"] },
];

export class Timeline {
    #list = document.querySelector("#events");
    #empty = document.querySelector("#no-events");
    /** What is shown, newest first: an event and its element. */
    #entries = [];
    #filters = new Map();

    constructor() {
        const fieldset = document.querySelector("#filters");
        for (const group of groups) {
            const box = element("input", { type: "checkbox", name: group.name, checked: true });
            box.addEventListener("change", () => this.#filter());
            this.#filters.set(group.name, box);
            fieldset.append(element("label", { "data-group": group.name }, box, group.name));
        }
    }

    /** Takes an event in at its place; one that stands there already, a stream that began anew has sent again. */
    add(event) {
        const at = Date.parse(event.time);
        const key = `${event.node} ${event.number} ${event.time}`;
        if (this.#entries.some((entry) => entry.key === key)) return;
        const place = this.#entries.findIndex((entry) => entry.at <= at);
        const entry = { key, at, group: groupOf(event.kind), item: item(event, at) };
        if (place < 0) {
            if (this.#entries.length >= eventCountMax) return;
            this.#entries.push(entry);
            this.#list.append(entry.item);
        } else {
            this.#entries[place].item.before(entry.item);
            this.#entries.splice(place, 0, entry);
        }
        if (this.#entries.length > eventCountMax) this.#entries.pop().item.remove();
        this.#filter();
    }

    #filter() {
        for (const entry of this.#entries) entry.item.hidden = !this.#filters.get(entry.group).checked;
        const isEmpty = this.#entries.every((entry) => entry.item.hidden);
        setAttribute(this.#empty, "hidden", isEmpty ? undefined : "");
        const isFiltered = this.#entries.length > 0;
        setText(this.#empty, isFiltered ? "Nothing of what is chosen has happened." : "Nothing has happened yet.");
    }
}

/** A kind that this page does not know yet is about a node, at least. */
function groupOf(kind) {
    return (groups.find((group) => group.kinds.includes(kind)) ?? groups.at(-1)).name;
}

function item(event, at) {
    return element(
        "li", { "data-kind": event.kind, "data-group": groupOf(event.kind) },
        time(new Date(at)), element("b", {}, `Node ${event.node}`), element("span", {}, event.text),
        element("small", {}, event.kind));
}
