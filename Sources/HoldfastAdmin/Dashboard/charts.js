// The last minute of a node in two charts, and the same in words and numbers.

import { bytes, clock, count, element, setAttribute, setText, span, unknown } from "./words.js";

const seconds = 60;
const height = 150;
/** Points come each second: after so long without one, some are missing. */
const gapSecondsMin = 1.9;
const margin = { top: 8, right: 8, bottom: 18, left: 56 };
/** Latencies below are all the same to people. */
const latencySecondsMin = 1e-4;

const latencyLines = [
    { name: "append-p50", of: (point) => point.append_seconds?.p50 },
    { name: "append-p99", of: (point) => point.append_seconds?.p99 },
    { name: "sync-p50", of: (point) => point.sync_seconds?.p50 },
    { name: "sync-p99", of: (point) => point.sync_seconds?.p99 },
];

export class Charts {
    #throughput = document.querySelector("#throughput");
    #latency = document.querySelector("#latency");
    #numbers = document.querySelector("#numbers");
    #recent;

    constructor() {
        this.#numbers.addEventListener("toggle", () => this.#tabulate());
    }

    show(recent) {
        this.#recent = recent;
        const { points } = recent;
        const end = points.at(-1)?.time ?? 0;
        this.#showThroughput(recent, points, end);
        this.#showLatency(recent, points, end);
        this.#tabulate();
    }

    #showThroughput(recent, points, end) {
        const rates = points.map((point) => point.records_per_second);
        const top = niceCeiling(Math.max(10, ...rates));
        const plot = new Plot(this.#throughput.querySelector("svg"), end, (rate) => rate / top);
        plot.grid([0, top / 2, top].map((rate) => [rate, count(rate)]));
        plot.area("records", points.map((point) => [point.time, point.records_per_second]));
        const records = `${count(recent.records_per_second)} records/s`;
        const written = `${bytes(recent.bytes_per_second)}/s`;
        figures(this.#throughput, [["records", records], ["", `${written} written`]]);
        const most = count(Math.max(0, ...rates));
        plot.describe(`Records per second over the last minute: ${records}, ${written} now, at most ${most}.`);
    }

    #showLatency(recent, points, end) {
        const values = points.flatMap((point) => latencyLines.map((line) => line.of(point))).filter((value) => value > 0);
        const low = Math.floor(Math.log10(Math.max(latencySecondsMin, Math.min(1e-3, ...values))));
        const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(latencySecondsMin, ...values))));
        const plot = new Plot(
            this.#latency.querySelector("svg"), end,
            (value) => Math.max(0, (Math.log10(value) - low) / (high - low)));
        const decades = Array.from({ length: high - low + 1 }, (_, place) => 10 ** (low + place));
        plot.grid(decades.map((value) => [value, span(value)]));
        for (const line of latencyLines) plot.line(line.name, points.map((point) => [point.time, line.of(point)]));
        const append = quantiles(recent.append_seconds);
        const sync = quantiles(recent.sync_seconds);
        figures(this.#latency, [["append", `append ${append}`], ["sync", `sync ${sync}`], ["", "p50 / p99"]]);
        plot.describe(`Latency over the last minute, p50 / p99: appends ${append}, syncs ${sync} now.`);
    }

    /** Every fifth second, newest first; only for whoever has it open. */
    #tabulate() {
        if (!this.#numbers.open || !this.#recent) return;
        const points = this.#recent.points.toReversed().filter((_, place) => place % 5 === 0);
        const rows = points.map((point) => element(
            "tr", {}, element("th", { scope: "row" }, clock(new Date(point.time * 1000))),
            ...[
                count(point.records_per_second), bytes(point.bytes_per_second),
                ...latencyLines.map((line) => duration(line.of(point))),
            ].map((text) => element("td", {}, text))));
        this.#numbers.querySelector("tbody").replaceChildren(...rows);
    }
}

/** The line of numbers above a chart; it is the chart's legend as well. */
function figures(figure, items) {
    const line = figure.querySelector(".figures");
    while (line.children.length < items.length) line.append(element("span"));
    items.forEach(([name, text], place) => {
        setAttribute(line.children[place], "data-line", name === "" ? undefined : name);
        setText(line.children[place], text);
    });
}

function duration(value) {
    return value === undefined ? unknown : span(value);
}

function quantiles(pair) {
    return pair ? `${span(pair.p50)} / ${span(pair.p99)}` : unknown;
}

/** The next of 1, 2, 5, 10, 20, ... */
function niceCeiling(value) {
    const decade = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((factor) => factor * decade).find((step) => step >= value);
}

/** Draws into an SVG element of any width, with time to the right. */
class Plot {
    /** @param share Where a value stands between the bottom, 0, and the top, 1. */
    constructor(svg, end, share) {
        this.svg = svg;
        this.width = Math.max(200, svg.clientWidth);
        this.end = end;
        this.share = share;
        setAttribute(svg, "viewBox", `0 0 ${this.width} ${height}`);
        svg.replaceChildren();
    }

    describe(text) {
        setAttribute(this.svg, "aria-label", text);
    }

    x(time) {
        const share = 1 - (this.end - time) / seconds;
        return round(margin.left + share * (this.width - margin.left - margin.right));
    }

    y(value) {
        return round(margin.top + (1 - this.share(value)) * (height - margin.top - margin.bottom));
    }

    grid(ticks) {
        for (const [value, text] of ticks) {
            const y = this.y(value);
            this.#add("path", { class: "grid", d: `M${margin.left} ${y}H${this.width - margin.right}` });
            this.#add("text", { x: margin.left - 8, y: y + 4, "text-anchor": "end" }, text);
        }
        const times = [[60, "a minute ago", "start"], [30, "30 s", "middle"], [0, "now", "end"]];
        for (const [ago, text, anchor] of times) {
            this.#add("text", { x: this.x(this.end - ago), y: height - 2, "text-anchor": anchor }, text);
        }
    }

    area(name, points) {
        const base = height - margin.bottom;
        const shapes = this.#runs(points).map((run) =>
            `M${this.x(run[0][0])} ${base}L${this.#through(run)}L${this.x(run.at(-1)[0])} ${base}Z`);
        this.#add("path", { class: `area ${name}`, d: shapes.join("") });
        this.line(name, points);
    }

    line(name, points) {
        // A value between two gaps is a line of no length, which its round ends make a dot.
        const lines = this.#runs(points).map((run) => `M${this.#through(run)}${run.length === 1 ? "h0" : ""}`);
        this.#add("path", { class: `line ${name}`, d: lines.join("") });
    }

    #through(run) {
        return run.map(([time, value]) => `${this.x(time)} ${this.y(value)}`).join("L");
    }

    /** Points that follow each other: where nothing was measured, a run ends. */
    #runs(points) {
        const runs = [];
        let last = -Infinity;
        for (const point of points) {
            const [time, value] = point;
            if (value === undefined || time < this.end - seconds) continue;
            if (time - last > gapSecondsMin) runs.push([]);
            runs.at(-1).push(point);
            last = time;
        }
        return runs;
    }

    #add(name, attributes, text = "") {
        const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
        shape.textContent = text;
        this.svg.append(shape);
    }
}

function round(value) {
    return Math.round(value * 10) / 10;
}
