/** The page about the kiosk: for whoever looks after it. */

import { checkBrowser } from "./checks.js";
import { showChecks } from "./setup.js";
import { say, sayDuration } from "./words.js";

export async function showAbout(kiosk, camera) {
  const list = document.getElementById("facts");
  list.replaceChildren(...facts(kiosk, camera).flatMap(([words, value]) => [element("dt", say(words)), element("dd", value)]));
  showChecks(document.getElementById("about-checks"), await checkBrowser());
}

function facts({ device, keeper, clock, version, waiting, leftBehind }, { milliseconds }) {
  const manifest = keeper.bundle?.manifest ?? null;
  const typical = [...milliseconds].sort((a, b) => a - b)[Math.floor(milliseconds.length / 2)];
  const found = [
    ["about_site", location.host],
    ["about_tenant", device.tenant],
    ["about_gate", device.gate],
    ["about_device", device.name],
    ["about_bundle", manifest === null ? say("about_bundle_none") : age(clock.now() - manifest.seq)],
    ["about_offline", manifest === null ? null : say(`about_offline_${manifest.offline}`)],
    ["about_queue", String(waiting)],
    ["about_left_behind", leftBehind === 0 ? null : String(leftBehind)],
    ["about_decode", typical === undefined ? null : say("about_milliseconds", { n: typical.toFixed(1) })],
    ["about_version", version],
  ];
  return found.filter(([, value]) => value !== null);
}

function age(microseconds) {
  return say("about_bundle_age", { time: sayDuration(microseconds / 1e6) });
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
