// What the state of the cluster comes to, in words. No document, no clock: a view goes in, sentences come out.

import { bytes, capitalized, named, span, wholeSpan } from "./words.js";

/** Shorter lags are the round trip of what was just appended. */
const lagSecondsMin = 1;
const lagBytesMin = 1 << 20;
const freeShareMin = 0.05;

const severity = { good: 0, attention: 1, trouble: 2 };

/** The newest picture of the members: the leader's, else that of the node with the latest term. */
export function authority(view) {
    const heard = view.nodes.filter((node) => node.reachable && node.status);
    const leading = heard.find((node) => node.node === view.leader);
    const latest = heard.reduce(
        (best, node) => (best && best.status.cluster.term >= node.status.cluster.term ? best : node), undefined);
    return (leading ?? latest)?.status;
}

/** How far a node is behind by what its leader knows; `undefined` where nobody can tell. */
export function lag(view, number) {
    const leader = authority(view);
    if (!leader || leader.node !== view.leader) return undefined;
    if (number === view.leader) return undefined;
    const member = leader.cluster.nodes.find((node) => node.node === number);
    if (!member || member.missing_bytes === undefined) return undefined;
    const seconds = member.lag_seconds;
    const isLevel = seconds === undefined ? member.missing_bytes < lagBytesMin : seconds < lagSecondsMin;
    return { bytes: member.missing_bytes, seconds, isLevel, member };
}

/**
 * The worst first, in one sentence, and what else there is to say.
 *
 * @param leaderlessSeconds How long nobody has led; without it the sentence stays the same while time goes on.
 * @returns `level` (good, attention, trouble), `headline`, and `findings`, each with a level and a text.
 */
export function assess(view, leaderlessSeconds) {
    const findings = view.nodes.flatMap((node) => (node.reachable ? ofNode(view, node) : []));
    const silent = view.nodes.filter((node) => !node.reachable).map((node) => node.node);
    const leadership = ofLeadership(view, silent, leaderlessSeconds);
    if (silent.length > 0 && !leadership.namesSilent) findings.push(ofSilence(view, silent, leadership));
    findings.sort((left, right) => severity[right.level] - severity[left.level]);
    if (leadership.level === "trouble") return { level: "trouble", headline: leadership.text, findings };
    const [worst, ...others] = findings;
    const rest = worst?.text ?? everybodyIsWell(view);
    return {
        level: worst?.level ?? "good", headline: `${leadership.text} ${rest}`, findings: others,
    };
}

function everybodyIsWell(view) {
    return view.nodes.length === 1 ? "It is the only node." : `All ${view.nodes.length} nodes are level.`;
}

function ofLeadership(view, silent, leaderlessSeconds) {
    if (silent.includes(view.leader)) {
        const text = `Node ${view.leader} leads term ${view.term}, and does not answer node ${view.node}.`;
        return { ...trouble(text), namesSilent: silent.length === 1 };
    }
    if (view.leader !== undefined) return { level: "good", text: `Node ${view.leader} leads term ${view.term}.` };
    if (!isMajority(view, silent)) {
        return { ...trouble(`${areSilent(silent)}: no majority is left, so appends wait.`), namesSilent: true };
    }
    const isForming = view.nodes.every((node) => node.status?.cluster.role === "forming");
    if (isForming) return trouble("The cluster has not formed yet: its nodes wait for each other.");
    const since = leaderlessSeconds === undefined ? "" : ` for ${wholeSpan(leaderlessSeconds)}`;
    return trouble(`No leader${since}: appends wait.`);
}

/** Whether those that answer are enough to elect a leader. */
function isMajority(view, silent) {
    const members = authority(view)?.cluster.nodes ?? [];
    const voters = members.filter((member) => member.membership !== "learner");
    return voters.filter((voter) => !silent.includes(voter.node)).length * 2 > voters.length;
}

function areSilent(silent) {
    return `${capitalized(named("node", silent))} ${silent.length === 1 ? "is" : "are"} silent`;
}

function ofSilence(view, silent, leadership) {
    const text = areSilent(silent);
    if (leadership.level === "trouble") return attention(`${text}.`);
    // A leader steps down without a majority: while it does not, they are there, and only do not say how they are.
    if (!isMajority(view, silent)) return attention(`${text}: ${view.nodes.find((node) => !node.reachable).reason}.`);
    const others = view.nodes.length - silent.length;
    return attention(`${text}: the other ${others} go on without ${silent.length === 1 ? "it" : "them"}.`);
}

/** What there is to say of a node that answers. */
function ofNode(view, { node, status }) {
    const findings = [];
    const { cluster, disk } = status;
    const damaged = cluster.health?.damaged_segments ?? [];
    if (cluster.retired) return [trouble(`Node ${node} is retired: ${cluster.retired}.`)];
    if (damaged.length > 0) findings.push(ofDamage(node, damaged, status.repairing));
    if (cluster.health?.may_vote === false) {
        findings.push(attention(`Node ${node} does not vote until its log is whole again.`));
    }
    if (disk.full) {
        findings.push(trouble(`Node ${node} has no room for more of its log: it takes no appends, or soon none.`));
    } else if (disk.total_bytes > 0 && disk.free_bytes < disk.total_bytes * freeShareMin) {
        findings.push(attention(`Node ${node} has only ${bytes(disk.free_bytes)} of its disk left.`));
    }
    if (status.draining) findings.push(attention(`Node ${node} is stopping.`));
    const behind = lag(view, node);
    if (behind && !behind.isLevel) {
        const seconds = behind.seconds === undefined ? "" : ` and ${span(behind.seconds)}`;
        findings.push(attention(`Node ${node} is ${bytes(behind.bytes)}${seconds} behind.`));
    } else if (view.leader !== undefined && cluster.leader === undefined) {
        findings.push(attention(`Node ${node} hears no leader.`));
    }
    return findings;
}

function ofDamage(node, damaged, repairing) {
    const what = `Node ${node} is damaged in ${named("segment", damaged)}`;
    return repairing === undefined
        ? trouble(`${what}: waiting for a copy from a peer.`)
        : attention(`${what}: being repaired from a peer.`);
}

function attention(text) {
    return { level: "attention", text };
}

function trouble(text) {
    return { level: "trouble", text };
}
