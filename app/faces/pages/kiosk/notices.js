/** The strips under the bar: what somebody of the staff should know. */

import { say, sayDuration } from "./words.js";

const strips = document.getElementById("notices");

/** Show those that hold now. Those that stay the same are left alone, so that they are read out once. */
export function showNotices(kiosk) {
  const wanted = kiosk.device.isSetUp && !kiosk.device.revoked ? notices(kiosk) : [];
  for (const strip of [...strips.children]) if (!wanted.some(({ name }) => name === strip.dataset.notice)) strip.remove();
  for (const notice of wanted) put(notice);
}

function notices(kiosk) {
  const { network, clock, keeper, waiting, conflicts, isStale } = kiosk;
  const found = [];
  if (!network.online) found.push({ name: "offline", text: `${offlineFor(network.since)} · ${queued(waiting)}` });
  if (clock.wrongBy > 0) found.push({ name: "clock", text: say("clock_wrong", { time: sayDuration(clock.wrongBy) }) });
  if (isStale) found.push({ name: "stale", text: say("stale") });
  if (keeper.trouble !== null) found.push({ name: keeper.trouble, text: say(`bundle_${keeper.trouble}`) });
  if (conflicts > 0) found.push({ name: "conflicts", text: counted("conflicts", conflicts), close: () => kiosk.acknowledge() });
  return found;
}

function put({ name, text, close }) {
  const strip = strips.querySelector(`[data-notice="${name}"]`) ?? newStrip(name, close);
  const words = strip.querySelector("p");
  if (words.textContent !== text) words.textContent = text;
}

function newStrip(name, close) {
  const [strip, words] = [document.createElement("div"), document.createElement("p")];
  strip.className = "notice";
  strip.dataset.notice = name;
  strip.append(words);
  if (close) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "✕";
    button.setAttribute("aria-label", say("close"));
    button.addEventListener("click", close);
    strip.append(button);
  }
  strips.append(strip);
  return strip;
}

function offlineFor(since) {
  const seconds = (Date.now() - since) / 1000;
  return seconds < 60 ? say("offline_now") : say("offline_for", { time: sayDuration(seconds) });
}

function queued(count) {
  return count === 0 ? say("queued_none") : counted("queued", count);
}

function counted(words, count) {
  return count === 1 ? say(`${words}_one`) : say(words, { n: count });
}
