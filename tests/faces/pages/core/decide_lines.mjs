/**
 * Decides as the kiosk's page does without the network. On each line of stdin a bundle and attempts, as JSON:
 * `{"tenant", "keys": {kid: x}, "manifest", "chunks": [...], "attempts": [{"text", "seen"}], "passes": [idx]}`, bytes
 * in hexadecimal. On stdout: for each `{"decisions", "passes"}`, in order.
 */

import { Bundle, chunkHash, missing, openManifest } from "../../../../app/faces/pages/kiosk/core/bundle.js";
import { decide } from "../../../../app/faces/pages/kiosk/core/decide.js";
import { fromHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";
import { offlineFacts } from "../../../../app/faces/pages/kiosk/core/offline.js";
import { recognise } from "../../../../app/faces/pages/kiosk/core/recognise.js";

let input = "";
for await (const part of process.stdin.setEncoding("utf8")) input += part;
for (const line of input.trimEnd().split("\n")) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
}

async function answer({ tenant, keys: pinned, manifest: body, chunks, attempts, passes }) {
  const keys = new Map();
  for (const [kid, x] of Object.entries(pinned)) keys.set(kid, await importKey(fromHex(x)));
  const manifest = await openManifest(fromHex(body), keys);
  const have = new Map();
  for (const chunk of chunks.map(fromHex)) have.set(await chunkHash(chunk), chunk);
  if (missing(manifest, (hash) => have.has(hash)).length > 0) throw new Error("a chunk is missing");
  const bundle = await Bundle.make(manifest, (hash) => have.get(hash));
  const decisions = [];
  for (const { text, seen } of attempts) {
    decisions.push(decide(offlineFacts(bundle, await recognise(text, tenant, keys), seen)));
  }
  return { decisions, passes: passes.map((idx) => bundle.pass(idx)) };
}
