"use strict";

// Reads packets (docs/device.md) and ranks with onnxruntime-web. `service` is where packets come from.
const service = new URLSearchParams(location.search).get("service") ?? "";
const $ = (id) => document.getElementById(id);

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readPacket(buffer, model) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  const end = bytes.length - 4;
  if (end < 32 || String.fromCharCode(...bytes.slice(0, 5)) !== "SRPK\x01" || crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) {
    throw new Error("the packet is damaged, or of another version");
  }
  const [kind, delta, count] = bytes.slice(5, 8);
  const own = [...bytes.slice(8, 24)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (own !== model) throw new Error("the packet is for another model");
  if (delta) throw new Error("this example adds no differences; ask for a whole packet");
  let at = 32;
  const slots = [];
  for (let number = 0; number < count; number++) {
    const length = bytes[at];
    const name = new TextDecoder().decode(bytes.slice(at + 1, at + 1 + length));
    const dimensions = bytes[at + 1 + length];
    at += 2 + length;
    const shape = [];
    for (let axis = 0; axis < dimensions; axis++, at += 4) shape.push(view.getUint32(at, true));
    let scale = 1;
    if (kind === 2) { scale = view.getFloat32(at, true); at += 4; }
    slots.push({ name, shape, scale });
  }
  const weights = {};
  for (const { name, shape, scale } of slots) {
    const values = new Float32Array(shape.reduce((one, other) => one * other, 1));
    for (let place = 0; place < values.length; place++) {
      if (kind === 0) { values[place] = view.getFloat32(at, true); at += 4; }
      else if (kind === 1) { values[place] = half(view.getUint16(at, true)); at += 2; }
      else { values[place] = view.getInt8(at) * scale; at += 1; }
    }
    weights[name] = new ort.Tensor("float32", values, [1, ...shape]);
  }
  return weights;
}

let facts, items, session, weights;

async function load() {
  ort.env.wasm.wasmPaths = new URL("ort/", location.href).href;
  ort.env.wasm.numThreads = 1;
  facts = await (await fetch("kit/kit.json")).json();
  items = await (await fetch("kit/items.json")).json();
  session = await ort.InferenceSession.create("kit/device.onnx");
  weights = readPacket(await (await fetch("kit/group.packet")).arrayBuffer(), facts.model);
  $("state").textContent = "ready, with the weights of the group";
}

function history() {
  return $("history").value.split(",").map((item) => item.trim()).filter(Boolean);
}

async function fetchPacket() {
  try {
    const response = await fetch(`${service}/v1/parameters`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/vnd.solidrec.packet" },
      body: JSON.stringify({ history: history(), precision: "fp16" }),
    });
    const packet = await response.arrayBuffer();
    weights = readPacket(packet, facts.model);
    $("state").textContent = `ready, with a packet of ${packet.byteLength} bytes`;
  } catch (problem) {
    $("state").textContent = `going on with the weights of before: ${problem.message}`;
  }
}

async function rank() {
  const index = new Map(items.map(([item], place) => [item, place + 1]));
  const known = history().map((item) => index.get(item)).filter(Boolean);
  const window = new BigInt64Array(facts.history_length);
  known.slice(-facts.history_length).forEach((item, place) => { window[place] = BigInt(item); });
  const everything = BigInt64Array.from(items, (_, place) => BigInt(place + 1));
  const found = await session.run({
    history: new ort.Tensor("int64", window, [1, window.length]),
    candidates: new ort.Tensor("int64", everything, [1, items.length]),
    ...weights,
  });
  const scores = found.scores.data;
  const had = new Set([...known, ...facts.delisted]);
  const best = [...items.keys()].filter((place) => !had.has(place + 1)).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, 10);
  $("items").replaceChildren(...best.map((place) => {
    const entry = document.createElement("li");
    entry.textContent = items[place][1] ?? items[place][0];
    entry.dataset.item = items[place][0];
    return entry;
  }));
}

$("fetch").addEventListener("click", fetchPacket);
$("rank").addEventListener("click", rank);
load().catch((problem) => { $("state").textContent = String(problem); });
