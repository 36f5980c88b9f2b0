// The node's stream of news, and how long there has been none.

import { ask } from "./gate.js";

/** A stream brings something each second: after so long, what stands on the page is old. */
const silentAfterSeconds = 3;
/** A connection may be dead without saying so: after so long another one is tried. */
const giveUpSeconds = 8;
const retrySeconds = 0.5;

/**
 * Follows the cluster through one node, over its restarts.
 *
 * Server-sent events (HTML §9.2) as this node writes them, by `fetch`: the browser's own reader of them cannot show a
 * token. Events may come twice.
 */
export class Stream {
    #path;
    #handlers;
    #heardAt;
    #openedAt;
    /** Ends the request that is under way. */
    #request;
    #lastID;
    #isRefused = false;
    /** What a node said that answers, and sends no news. */
    #answer;

    /** @param handlers `status` and `event` take documents; `refused` is called when the node wants a token. */
    constructor(path, handlers) {
        this.#path = path;
        this.#handlers = handlers;
        this.#heardAt = performance.now();
        this.open();
    }

    /** Seconds since the last news; since the beginning when there was none. */
    get quietSeconds() {
        return secondsSince(this.#heardAt);
    }

    /** A node that asks for a token is not silent. */
    get isSilent() {
        return !this.#isRefused && this.quietSeconds >= silentAfterSeconds;
    }

    /** Why there is no news, as far as the node has said: with a full stop. */
    get answer() {
        return this.#answer;
    }

    /** To be called every now and then. */
    tick() {
        const openSeconds = secondsSince(this.#openedAt);
        const hasEnded = this.#request === undefined && openSeconds >= retrySeconds;
        const isDead = openSeconds >= giveUpSeconds && this.quietSeconds >= giveUpSeconds;
        if (!this.#isRefused && (hasEnded || isDead)) this.open();
    }

    /** Begins anew, now. */
    async open() {
        this.#request?.abort();
        const request = new AbortController();
        this.#request = request;
        this.#openedAt = performance.now();
        this.#isRefused = false;
        try {
            const place = this.#lastID === undefined ? {} : { "Last-Event-ID": this.#lastID };
            const answer = await ask(this.#path, { headers: place, signal: request.signal });
            this.#answer = undefined;
            if (answer.ok) {
                for await (const message of messages(answer.body)) this.#take(message);
            } else if ([401, 403].includes(answer.status)) {
                this.#isRefused = true;
                this.#handlers.refused();
            } else {
                this.#answer = await said(answer);
            }
        } catch {
            // The node is gone, or was given up: whoever calls `tick` tries again.
            if (this.#request === request) this.#answer = undefined;
        } finally {
            if (this.#request === request) this.#request = undefined;
        }
    }

    #take({ event, id, data }) {
        if (event === undefined) return;
        this.#heardAt = performance.now();
        this.#lastID = id ?? this.#lastID;
        this.#handlers[event]?.(JSON.parse(data));
    }
}

/** A problem in the words of the node, with its status. */
async function said(answer) {
    const { detail, hint } = await answer.json().catch(() => ({}));
    return `It answers ${answer.status}${detail ? `: ${detail}` : ""}.${hint ? ` ${hint}` : ""}`;
}

function secondsSince(time) {
    return (performance.now() - time) / 1000;
}

/** Each is some lines, `name: value`, and an empty one. */
async function* messages(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        for (const part of parts) yield Object.fromEntries(part.split("\n").map(field));
    }
}

function field(line) {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
}
