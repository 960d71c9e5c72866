// The state in the address: after # and so never sent anywhere; a reload or the link brings it back.
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

/** The state in an address, or null; throws where there is one that cannot be read. */
export function readLink() {
  const text = new URLSearchParams(location.hash.slice(1)).get("s");
  return text === null || location.hash === written ? null : fromText(text);
}

export function writeLink() {
  if (!page.view) return;
  written = `#s=${toText({ state: page.view.state, chosen: page.chosen })}`;
  if (location.hash !== written) history.replaceState(null, "", written);
}

let waiting = 0;
/** At once, but of many changes in a row only the first and the last: browsers refuse to write without a pause. */
function soon() {
  if (!waiting) writeLink();
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    waiting = 0;
    writeLink();
  }, 150);
}

export function startLink() {
  on("view", soon);
  on("chosen", soon);
}

/** What a link looks at, if it is one of the things that can be looked at. */
export const chosenIn = ({ chosen }) =>
  typeof chosen?.name === "string" && ["weight", "neuron"].includes(chosen.kind) ? chosen : null;
