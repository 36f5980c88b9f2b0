// Numbers, times and lists as people read them, and the making of elements.

const grouped = new Intl.NumberFormat("en");
const clockFormat = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** More than so many numbers nobody reads. */
const namedCountMax = 5;

/** What stands where nothing is known. */
export const unknown = "–";

/** 12,345 */
export function count(number) {
    return grouped.format(Math.round(number));
}

/** Two digits say enough: 1.2, 12, 120. */
function short(number) {
    return number < 9.95 ? String(Number(number.toFixed(1))) : grouped.format(Math.round(number));
}

/** 512 B, 1.2 MB, 66 GB */
export function bytes(number) {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let place = 0;
    while (number >= 999.5 && place < units.length - 1) {
        number /= 1000;
        place += 1;
    }
    return `${place === 0 ? count(number) : short(number)} ${units[place]}`;
}

/** 340 µs, 3.4 ms, 12 s, 3 min, 5 h, 12 days */
export function span(seconds) {
    if (seconds < 0.0009995) return `${count(seconds * 1e6)} µs`;
    if (seconds < 0.9995) return `${short(seconds * 1e3)} ms`;
    if (seconds < 90) return `${short(seconds)} s`;
    if (seconds < 90 * 60) return `${count(seconds / 60)} min`;
    if (seconds < 36 * 3600) return `${count(seconds / 3600)} h`;
    return `${count(seconds / 86400)} days`;
}

/** The same in whole seconds, for what is counted while one looks on. */
export function wholeSpan(seconds) {
    return seconds < 90 ? `${Math.round(seconds)} s` : span(seconds);
}

/** 1, 2 and 3 */
export function list(items) {
    return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** "node 3", "nodes 1 and 3", "segments 1, 2, 3, 4 and 96 more" */
export function named(word, numbers) {
    const isLong = numbers.length > namedCountMax;
    const some = isLong ? [...numbers.slice(0, namedCountMax - 1), `${numbers.length - namedCountMax + 1} more`] : numbers;
    return `${word}${numbers.length === 1 ? "" : "s"} ${list(some)}`;
}

export function capitalized(text) {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Local time of day; the day as well when it is not today. */
export function clock(date) {
    const isToday = date.toDateString() === new Date().toDateString();
    return (isToday ? "" : `${dayFormat.format(date)}, `) + clockFormat.format(date);
}

/** UTC, for those who compare with logs. */
export function utc(date) {
    return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function time(date) {
    return element("time", { datetime: date.toISOString(), title: utc(date) }, clock(date));
}

/** An element with attributes and children; text is text, never markup. */
export function element(name, attributes = {}, ...children) {
    const result = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value !== undefined && value !== false) result.setAttribute(key, value === true ? "" : value);
    }
    result.append(...children);
    return result;
}

/** Writes only what differs: what a reader has selected or focused stays as it is. */
export function setText(target, text) {
    if (target.textContent !== text) target.textContent = text;
}

export function setAttribute(target, name, value) {
    if (value === undefined) target.removeAttribute(name);
    else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
}
