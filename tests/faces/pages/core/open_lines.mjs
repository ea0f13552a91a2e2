/**
 * Opens texts as the kiosk's page does. On stdin: first a line of JSON `{"tenant", "keys": {kid: x}}`, in hexadecimal,
 * then a text as JSON on each line. On stdout: for each, in order, what `recognise` gave.
 */

import { fromHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";
import { recognise } from "../../../../app/faces/pages/kiosk/core/recognise.js";

const AT_ONCE = 500;

let input = "";
for await (const part of process.stdin.setEncoding("utf8")) input += part;
const [{ tenant, keys: pinned }, ...texts] = input.trimEnd().split("\n").map((line) => JSON.parse(line));
const keys = new Map();
for (const [kid, x] of Object.entries(pinned)) keys.set(kid, await importKey(fromHex(x)));

for (let at = 0; at < texts.length; at += AT_ONCE) {
  const opened = await Promise.all(texts.slice(at, at + AT_ONCE).map((text) => recognise(text, tenant, keys)));
  process.stdout.write(opened.map((each) => JSON.stringify(each) + "\n").join(""));
}
