// Requests to the node of this page, with the token that it asks for where its users are known by tokens.

import { setText } from "./words.js";

/** Of this tab alone, and gone with it. */
const storageKey = "holdfast-token";

/** `fetch` with the token. */
export function ask(path, options = {}) {
    const token = sessionStorage.getItem(storageKey);
    const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    return fetch(path, { ...options, headers, cache: "no-store" });
}

/** Asks people for a token when the node lets nobody in without one. */
export class Gate {
    #section = document.querySelector("#gate");
    #field = document.querySelector("#token");

    /** @param onToken Called with each token that somebody enters. */
    constructor(onToken) {
        this.#section.querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            const token = this.#field.value.trim();
            if (token === "") return;
            this.#field.value = "";
            sessionStorage.setItem(storageKey, token);
            onToken();
        });
    }

    get isClosed() {
        return !this.#section.hidden;
    }

    close() {
        const isTokenKnown = sessionStorage.getItem(storageKey) !== null;
        sessionStorage.removeItem(storageKey);
        const refusal = "The node does not take this token: it has to be one with the scope read or admin.";
        const question = "The node asks who you are. Enter a token with the scope read or admin.";
        setText(document.querySelector("#gate-text"), isTokenKnown ? refusal : question);
        if (this.isClosed) return;
        this.#section.hidden = false;
        this.#field.focus();
    }

    open() {
        this.#section.hidden = true;
    }
}
