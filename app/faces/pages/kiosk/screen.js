/** What is on the screen. Texts from the service are only ever put there as text. */

import { putWords, say, sayReason, sayTime } from "./words.js";

const body = document.body;
const UNSPOKEN = "\u00a0";

export function show(name) {
  return document.querySelector(`[data-show="${name}"]`);
}

/** Go to a state of the page: loading, setup, ready, admit, deny, revoked, elsewhere, broken. */
export function goTo(state, step = "") {
  body.dataset.state = state;
  body.dataset.step = step;
}

export function state() {
  return body.dataset.state;
}

export function showMessage(name, words) {
  goTo(name);
  show("message").textContent = say(words);
  show("message-more").textContent = words === "loading" ? "" : say(`${words}_more`);
}

/** The bar, the hint and the camera's state, as they are now. */
export function showPlace(kiosk, camera) {
  const { device, network } = kiosk;
  body.toggleAttribute("data-set-up", device.isSetUp);
  body.dataset.network = network.online ? "online" : "offline";
  body.dataset.queued = kiosk.waiting;
  body.dataset.bundle = kiosk.keeper.bundle === null ? "none" : kiosk.isStale ? "stale" : "fresh";
  body.dataset.news = kiosk.keeper.isCurrent ? "current" : "kept";
  show("gate").textContent = device.gate ?? "Gatepass";
  show("device").textContent = device.name ?? "";
  show("network-word").textContent = say(network.online ? "online" : "offline");
  showCamera(camera);
  showWays(device);
}

function showCamera({ state: camera }) {
  document.querySelector(".stage").dataset.camera = camera;
  body.dataset.camera = camera;
  show("camera-word").textContent = camera === "on" ? "" : say(`camera_${camera}`);
  show("camera-more").textContent = ["on", "starting"].includes(camera) ? "" : say(`camera_${camera}_more`);
  const hint = ["on", "starting"].includes(camera) ? "hint" : "hint_no_camera";
  show("hint").textContent = say(hint);
  show("hint-more").textContent = say(`${hint}_more`);
}

function showWays(device) {
  const ways = document.getElementById("ways");
  ways.hidden = !device.asksTheWay;
  for (const button of ways.children) button.setAttribute("aria-pressed", String(button.dataset.way === device.way));
}

export function showAsking(asking) {
  body.toggleAttribute("data-asking", asking);
}

/** Green or red, with sign and words; neither where somebody was let in by it just now. */
export function showVerdict(verdict) {
  const admitted = verdict.decision === "admit";
  const { what, todo } = admitted ? { what: "", todo: "" } : sayReason(verdict.reason);
  put({
    word: say(wordOf(verdict)),
    name: admitted ? (verdict.name ?? "") : "",
    what: what || people(verdict),
    todo: verdict.notBefore === null ? todo : say("not_before", { time: sayTime(verdict.notBefore) }),
    note: verdict.offline ? say("decided_offline") : "",
  });
  const spoken = ["word", "name", "what", "todo"].map((name) => show(name).textContent).filter(Boolean);
  const count = Number(body.dataset.verdict ?? 0) + 1;
  show("announced").textContent = spoken.join(". ") + (count % 2 === 0 ? "" : UNSPOKEN); // what stays the same is not read out
  document.querySelector(".verdict-inner").hidden = false;
  body.dataset.reason = verdict.reason;
  body.dataset.verdict = String(count);
  body.toggleAttribute("data-again", verdict.again);
  goTo(verdict.decision);
}

/** Ready for the next: nothing of the one before stays but why it was refused. */
export function showReady(last) {
  document.querySelector(".verdict-inner").hidden = true;
  put({ word: "", name: "", what: "", todo: "", note: "", announced: "" });
  showLast(last);
  goTo("ready");
}

export function showLast(last) {
  const { what, todo } = last === null ? { what: "", todo: "" } : sayReason(last.reason);
  show("last-what").textContent = last === null ? "" : `${say("last_denied")}: ${what}`;
  show("last-todo").textContent = todo;
  document.getElementById("last").hidden = last === null;
}

export function showWords() {
  putWords(document);
}

function put(texts) {
  for (const [name, text] of Object.entries(texts)) show(name).textContent = text;
}

function wordOf({ decision, direction, again }) {
  if (decision === "admit" && again) return "admit_again";
  return direction === "exit" ? `${decision}_exit` : decision;
}

function people({ peopleLeft }) {
  if (peopleLeft === 0) return "";
  return peopleLeft === 1 ? say("people_left_one") : say("people_left", { n: peopleLeft });
}
