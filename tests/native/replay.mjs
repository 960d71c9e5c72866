// Replays the calls that record.py wrote down with the kernels as WebAssembly, and compares every bit.
//   node replay.mjs KERNELS.wasm CALLS
import { readFileSync } from "node:fs";

const [library, recorded] = process.argv.slice(2);
const { exports } = (await WebAssembly.instantiate(readFileSync(library))).instance;
const file = readFileSync(recorded);
let here = 0; // what comes next in the file

function number() {
  here += 8;
  return file.readBigInt64LE(here - 8);
}

const count = () => Number(number());
const list = (read) => Array.from({ length: count() }, read);

function text() {
  const length = count();
  here += Math.ceil(length / 8) * 8;
  return file.subarray(here - Math.ceil(length / 8) * 8).subarray(0, length);
}

function block() {
  if (count()) return { pointers: list(count) };
  return { before: text(), compared: count(), after: text() };
}

/** Lays the blocks into the kernels' memory, one after the other; gives their places. */
function lay(blocks) {
  let end = Number(exports.__heap_base.value);
  const places = blocks.map((one) => {
    const start = Math.ceil(end / 64) * 64;
    end = start + (one.pointers ? 4 * one.pointers.length : one.before.length);
    return start;
  });
  const missing = end - exports.memory.buffer.byteLength;
  if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
  const at = (index) => (index < 0 ? 0 : places[index]);
  blocks.forEach((one, index) => {
    if (one.pointers) new Uint32Array(exports.memory.buffer, places[index], one.pointers.length).set(one.pointers.map(at));
    else new Uint8Array(exports.memory.buffer).set(one.before, places[index]);
  });
  return at;
}

function replay() {
  const [name, symbol] = [text().toString(), text().toString()];
  const blocks = list(block);
  const at = lay(blocks);
  const given = list(() => (count() ? at(count()) : number()));
  const [hasResult, expected] = [count(), number()];
  const result = exports[symbol](...given);
  const memory = Buffer.from(exports.memory.buffer);
  const same = blocks.every((one, i) => !one.compared || one.after.equals(memory.subarray(at(i), at(i) + one.after.length)));
  if (same && (!hasResult || result === expected)) return true;
  console.log(`other bits: ${name}, ${symbol}`);
  return false;
}

const calls = list(replay);
const same = calls.filter(Boolean).length;
console.log(`${same} of ${calls.length} calls gave the same bits`);
process.exit(same === calls.length ? 0 : 1);
