// Stores the session in the browser, to restore it after a restart of the server: network, run, curve, step and
// samples. A record that no tab has read for a week is deleted.
import { address, kept } from "./connection.js";
import { pins, setPins } from "./compare.js";
import { act, emit, on, page, say } from "./page.js";

const WEEK = 7 * 24 * 3600 * 1000;
const [SOON, OFTEN, SHARE] = [400, 2000, 20]; // milliseconds after a change, and while training; at most 1/20 of the time

const tab = kept.getItem("tab") ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
kept.setItem("tab", tab);

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let opened = null;
function store(mode) {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("backpath", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened.then((database) => database.transaction("kept", mode).objectStore("kept"));
}

let samples = null; // { key, data } of the samples stored last

async function keep() {
  const answer = await fetch(address("/kept", { session: page.session }));
  if (!answer.ok) return;
  const scene = await answer.json();
  if (samples?.key !== scene.data) {
    const data = await (await fetch(address("/kept", { session: page.session, data: "1" }))).json();
    samples = { key: scene.data, data };
  }
  const record = { scene, data: samples.data, hash: location.hash, chosen: page.chosen, pins: pins.map((one) => ({ ...one })), at: Date.now() };
  await done((await store("readwrite")).put(record, tab));
}

let timer = 0;
let at = Infinity; // the time of the next save
let took = 0;
let last = Promise.resolve();
/** Saves after a short delay; the earliest of several requests counts. Without storage in the browser, only this is lost. */
function soon(after) {
  const wanted = performance.now() + after;
  if (!page.session || wanted >= at) return;
  clearTimeout(timer);
  at = wanted;
  timer = setTimeout(() => {
    at = Infinity;
    last = last.then(async () => {
      const began = performance.now();
      await keep().catch(() => null);
      took = performance.now() - began;
    });
  }, after);
}

async function forgetOld() {
  const request = (await store("readwrite")).openCursor();
  request.onsuccess = () => {
    const cursor = request.result;
    if (!cursor) return;
    if (Date.now() - cursor.value.at > WEEK) cursor.delete();
    cursor.continue();
  };
}

/** Restores this tab's session; false if there is none, or if a new page requests something else. */
export async function bringBack(justOpened) {
  const record = await store("readonly").then((records) => done(records.get(tab))).catch(() => null);
  if (!record || (justOpened && location.hash && location.hash !== record.hash)) return false;
  const body = JSON.stringify({ scene: record.scene, data: record.data });
  const answer = await fetch(address("/kept", { session: page.session }), { method: "POST", body }).then((found) => found.json()).catch(() => null);
  if (!answer || answer.error) return false;
  page.chosen = record.chosen;
  setPins(record.pins ?? []);
  if (record.scene.speed && (await act("train", { speed: record.scene.speed, until_solved: true }))) {
    page.running = true;
    emit("running");
  }
  say("Everything is restored");
  return true;
}

export function startKeeping() {
  on("view", () => soon(SOON));
  on("stopped", () => soon(SOON));
  for (const event of ["chosen", "pins"]) on(event, () => soon(SOON));
  on("frame", () => soon(Math.max(OFTEN, took * SHARE)));
  forgetOld().catch(() => null);
}
