// The node's stream of news, and how long there has been none.

/** A stream brings something each second: after so long, what stands on the page is old. */
const silentAfterSeconds = 3;
/** A connection may be dead without saying so: after so long another one is tried. */
const reconnectSeconds = 8;

/**
 * Follows the cluster through one node, over its restarts.
 *
 * The browser comes back by itself when a connection breaks, but neither after a refusal nor from a connection that has
 * gone quiet: those are opened anew here. Events may then come twice.
 */
export class Stream {
    #source;
    #heardAt;
    #openedAt;

    constructor(url, onStatus, onEvent) {
        this.url = url;
        this.onStatus = onStatus;
        this.onEvent = onEvent;
        this.#open();
    }

    /** Seconds since the last news; since the beginning when there was none. */
    get quietSeconds() {
        return (performance.now() - (this.#heardAt ?? this.#openedAt)) / 1000;
    }

    get isSilent() {
        return this.quietSeconds >= silentAfterSeconds;
    }

    /** To be called every now and then. */
    tick() {
        const openSeconds = (performance.now() - this.#openedAt) / 1000;
        const isRefused = this.#source.readyState === EventSource.CLOSED && openSeconds >= 1;
        const isQuiet = this.quietSeconds >= reconnectSeconds && openSeconds >= reconnectSeconds;
        if (isRefused || isQuiet) this.#open();
    }

    #open() {
        this.#source?.close();
        this.#openedAt = performance.now();
        this.#source = new EventSource(this.url);
        this.#source.addEventListener("status", (message) => {
            this.#heardAt = performance.now();
            this.onStatus(JSON.parse(message.data));
        });
        this.#source.addEventListener("event", (message) => this.onEvent(JSON.parse(message.data)));
    }
}
