/**
 * Reads the parts of bundles as the kiosk's page does. On stdin: first a line of JSON with the pinned keys, `{kid:
 * x}`, then on each line `[what, bytes]`: a manifest, or a chunk of passes, statuses or refused tokens; bytes in
 * hexadecimal. On stdout: for each, in order, what it says, or the name of what was thrown.
 */

import { openManifest } from "../../../../app/faces/pages/kiosk/core/bundle.js";
import { unpackPasses, unpackRefused } from "../../../../app/faces/pages/kiosk/core/chunks.js";
import { fromHex, toHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";
import { Malformed } from "../../../../app/faces/pages/kiosk/core/malformed.js";
import { statusOf, unpackStatuses } from "../../../../app/faces/pages/kiosk/core/status_list.js";

let input = "";
for await (const part of process.stdin.setEncoding("utf8")) input += part;
const [pinned, ...lines] = input.trimEnd().split("\n").map((line) => JSON.parse(line));
const keys = new Map();
for (const [kid, x] of Object.entries(pinned)) keys.set(kid, await importKey(fromHex(x)));

const READ = {
  async manifest(bytes) {
    const manifest = await openManifest(bytes, keys);
    const pairs = Array.from(manifest.keys, ([kid, x]) => [kid, toHex(x)]);
    return { ...manifest, keys: pairs, passes: [...manifest.passes], statuses: [...manifest.statuses] };
  },
  async passes(bytes) {
    return [...(await unpackPasses(bytes))];
  },
  async statuses(bytes) {
    const array = await unpackStatuses(bytes);
    return Array.from({ length: 100 }, (_, place) => statusOf(array, place));
  },
  async refused(bytes) {
    return [...(await unpackRefused(bytes))];
  },
};

for (const [what, bytes] of lines) {
  let answer;
  try {
    answer = await READ[what](fromHex(bytes));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    answer = error.name;
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
