// The dashboard of a cluster, as one of its nodes sees it: news come in, parts of the page show them.

import { assess, authority } from "./assess.js";
import { Charts } from "./charts.js";
import { Gate } from "./gate.js";
import { dashboardOf, NodeTable } from "./nodes.js";
import { SegmentMap } from "./segments.js";
import { Stream } from "./stream.js";
import { Timeline } from "./timeline.js";
import { clock, element, setAttribute, setText, utc, wholeSpan } from "./words.js";

const tickMilliseconds = 500;

class Dashboard {
    #nodes = new NodeTable();
    #charts = new Charts();
    #segments = new SegmentMap();
    #timeline = new Timeline();
    #view;
    #seenAt;
    /** Since when nobody leads. */
    #leaderlessAt;
    #gate = new Gate(() => this.#stream.open());
    #stream = new Stream("/admin/v1/stream", {
        status: (view) => this.#received(view),
        event: (event) => this.#timeline.add(event),
        refused: () => this.#gate.close(),
    });

    constructor() {
        setInterval(() => this.#ticked(), tickMilliseconds);
    }

    #received(view) {
        this.#gate.open();
        this.#view = view;
        this.#seenAt = new Date();
        this.#leaderlessAt = view.leader === undefined ? (this.#leaderlessAt ?? performance.now()) : undefined;
        this.#showState();
        this.#nodes.show(view, 0);
        this.#segments.show(view);
        const busiest = authority(view) ?? view.nodes.find((node) => node.node === view.node).status;
        setText(document.querySelector("#activity-source"), `as node ${busiest.node} measured it`);
        this.#charts.show(busiest.recent);
        const id = view.nodes.find((node) => node.node === view.node)?.status?.cluster.cluster;
        setText(document.querySelector("#origin"), `${id ? `cluster ${id.slice(0, 8)}, ` : ""}seen from node ${view.node}`);
        this.#showConnection();
    }

    /** Time goes on without news, too. */
    #ticked() {
        this.#stream.tick();
        this.#showConnection();
        if (!this.#view) return;
        if (!this.#stream.isSilent && this.#leaderlessAt !== undefined) this.#showState();
        if (this.#stream.isSilent) this.#nodes.show(this.#view, this.#stream.quietSeconds);
    }

    #showState() {
        const seconds = this.#leaderlessAt === undefined ? undefined : (performance.now() - this.#leaderlessAt) / 1000;
        const { level, headline, findings } = assess(this.#view, seconds);
        const section = document.querySelector("#state");
        setAttribute(section, "data-level", level);
        setAttribute(section.querySelector("use"), "href", `#icon-${level}`);
        setText(document.querySelector("#headline"), headline);
        const others = document.querySelector("#findings");
        others.hidden = findings.length === 0;
        const texts = findings.map((finding) => finding.text);
        if (texts.join("\n") !== [...others.children].map((item) => item.textContent).join("\n")) {
            others.replaceChildren(...findings.map(({ level, text }) => element("li", { "data-level": level }, text)));
        }
        document.title = `${{ good: "", attention: "! ", trouble: "!! " }[level]}${headline} Holdfast`;
        // The same without seconds, so that nobody is told each of them.
        setText(document.querySelector("#spoken"), assess(this.#view).headline);
    }

    #showConnection() {
        const connection = document.querySelector("#connection");
        const section = document.querySelector("#silence");
        const isSilent = this.#stream.isSilent;
        setAttribute(connection, "data-live", isSilent ? "no" : this.#view ? "yes" : "wait");
        setAttribute(document.body, "data-stale", isSilent ? "" : undefined);
        if (this.#seenAt) {
            setText(connection, `${isSilent ? "silent since" : "live,"} ${clock(this.#seenAt)}`);
            setAttribute(connection, "title", utc(this.#seenAt));
        }
        if (isSilent && section.hidden) this.#fellSilent();
        section.hidden = !isSilent;
        if (isSilent) this.#showSilence();
    }

    get #ownName() {
        return this.#view ? `Node ${this.#view.node}` : "The node of this page";
    }

    /** Says where to look instead, and says it once to those who listen. */
    #fellSilent() {
        const others = this.#view?.nodes.filter((each) => each.node !== this.#view.node && dashboardOf(each)) ?? [];
        const links = others.map((each) => element("a", { href: dashboardOf(each) }, `node ${each.node}`));
        const sentence = links.flatMap((link, place) => [place === 0 ? "Look at the cluster from " : " or ", link]);
        document.querySelector("#silence-others").replaceChildren(...sentence);
        setText(document.querySelector("#spoken"), `${this.#ownName} is silent. This page shows what was known before.`);
        document.title = `?? ${this.#ownName} is silent. Holdfast`;
    }

    /** What this page is worth without news. */
    #showSilence() {
        const span = wholeSpan(Math.floor(this.#stream.quietSeconds));
        const { answer } = this.#stream;
        const news = answer
            ? `${this.#ownName} has sent no news for ${span}. ${answer}`
            : `${this.#ownName} is silent: no news for ${span}.`;
        const worth = this.#seenAt ? `This page shows what was known at ${clock(this.#seenAt)}, and` : "This page";
        setText(document.querySelector("#silence-text"), `${news} ${worth} goes on asking.`);
    }
}

new Dashboard();
