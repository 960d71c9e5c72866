// The state in the address, after # and so never sent to a server; a reload or the link restores it.
import { on, page } from "./page.js";

function toText(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromText(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0))));
}

let written = "";

/** The state in an address, or null; throws if it cannot be read. */
export function readLink() {
  const text = new URLSearchParams(location.hash.slice(1)).get("s");
  return text === null || location.hash === written ? null : fromText(text);
}

export function writeLink() {
  if (!page.view) return;
  written = `#s=${toText({ state: page.view.state, chosen: page.chosen })}`;
  if (location.hash !== written) history.replaceState(null, "", written);
}

const [MOST, WITHIN, LATER] = [40, 10_000, 300]; // browsers refuse more than 200 changes of the address in 30 s
let waiting = 0;
let times = []; // the recent times at which the address was written
/** Writes at once, so that a reload restores this state; of many quick changes, as from a slider, only the last. */
function soon() {
  const now = performance.now();
  times = times.filter((time) => now - time < WITHIN);
  clearTimeout(waiting);
  if (times.length >= MOST) {
    waiting = setTimeout(soon, LATER);
    return;
  }
  times.push(now);
  writeLink();
}

export function startLink() {
  on("view", soon);
  on("chosen", soon);
}

/** The selection in a link, if it is valid. */
export const chosenIn = ({ chosen }) =>
  typeof chosen?.name === "string" && ["weight", "neuron"].includes(chosen.kind) ? chosen : null;
