/**
 * Setting up: a set-up link, by the page's address, the camera or by hand; then one tap.
 *
 * The token is taken out of the address at once, and nothing is sent before the tap.
 */

import { Refusal, Unreachable } from "./api.js";
import { checkBrowser } from "./checks.js";
import * as screen from "./screen.js";
import { say } from "./words.js";

const KNOWN = ["not_found", "setup_used", "setup_expired", "handshake_too_new"];

/** The set-up token in the fragment of an address, with the version of the handshake; null where there is none. */
export function readFragment(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const token = fields.get("setup");
  return token ? { token, handshake: Number(fields.get("v") ?? 1) } : null;
}

/** The token of the page's own address, which is then gone from it and from the browser's history. */
export function takeFragment() {
  const found = readFragment(location.hash);
  if (found !== null) history.replaceState(null, "", location.pathname);
  return found;
}

export class Setup {
  /** @param {() => void} done */
  constructor(kiosk, done) {
    this._kiosk = kiosk;
    this._done = done;
    this._offered = null;
    this._wrong = ""; // the key of what is said of the latest text
    this._refusal = null;
    this._checks = [];
    document.getElementById("setup-paste").addEventListener("submit", (event) => {
      event.preventDefault();
      this.offer(document.getElementById("setup-link").value);
    });
    document.getElementById("setup-go").addEventListener("click", () => this._go());
    document.getElementById("setup-again").addEventListener("click", () => this._go());
    for (const button of document.querySelectorAll("[data-setup-other]")) button.addEventListener("click", () => this._other());
  }

  get isFinding() {
    return ["setup", "revoked"].includes(screen.state()) && document.body.dataset.step === "find";
  }

  /** Look for a set-up code. */
  find() {
    this._offered = null;
    this._wrong = "";
    screen.goTo(this._kiosk.device.revoked ? "revoked" : "setup", "find");
    this.say();
  }

  /** Another code is to be used; or, at a kiosk that is at work, none after all. */
  _other() {
    if (this._isAtWork) this._done();
    else this.find();
  }

  get _isAtWork() {
    const { isSetUp, revoked } = this._kiosk.device;
    return isSetUp && !revoked;
  }

  /** A text that may be a set-up link: seen by the camera, pasted, or read by a scanner. */
  offer(text) {
    const { offered, wrong } = readLink(text.trim());
    if (offered) return this.confirm(offered);
    this._wrong = wrong;
    this.say();
  }

  /** A token is at hand: say whose site it is, and what this browser can do. */
  async confirm(offered) {
    this._offered = offered;
    document.getElementById("setup-link").value = "";
    screen.goTo("setup", "confirm");
    this.say();
    this._checks = await checkBrowser();
    this.say();
  }

  async _go() {
    screen.goTo("setup", "working");
    for (const step of document.querySelectorAll("[data-work]")) delete step.dataset.done;
    let signedIn = false;
    try {
      await this._kiosk.setUp(this._offered.token, this._offered.handshake, (name) => {
        signedIn = true;
        document.querySelector(`[data-work="${name}"]`).dataset.done = "";
      });
      this._offered = null;
      this._done();
    } catch (error) {
      console.warn("Setting up failed.", error.message);
      if (signedIn) return this._done(); // the rest comes by itself
      this._refusal = error;
      screen.goTo("setup", "failed");
      this.say();
    }
  }

  /** Everything in the language that is chosen. */
  say() {
    const { revoked } = this._kiosk.device;
    screen.show("setup-title").textContent = say(revoked ? "revoked" : "setup");
    screen.show("setup-more").textContent = say(revoked ? "revoked_more" : "setup_scan");
    screen.show("setup-site").textContent = location.host;
    screen.show("setup-wrong").textContent = this._wrong === "" ? "" : say(...this._wrong);
    screen.show("setup-error").textContent = this._refusal === null ? "" : sayRefusal(this._refusal);
    const other = say(this._isAtWork ? "setup_back" : "setup_other");
    for (const button of document.querySelectorAll("[data-setup-other]")) button.textContent = other;
    showChecks(document.getElementById("checks"), this._checks);
    document.getElementById("setup-go").disabled = this._checks.some(({ state, needed }) => needed && state === "missing");
  }
}

/** The list of what the browser has, and what it means where something is missing. */
export function showChecks(list, checks) {
  list.replaceChildren(...checks.map(checkItem));
}

function checkItem({ name, state }) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const [title, more] = [document.createElement("strong"), document.createElement("span")];
  item.dataset.check = state;
  item.dataset.name = name;
  title.textContent = state === "fine" ? `${say(`check_${name}`)}: ${say("check_fine")}` : `${say(`check_${name}`)}: `;
  more.textContent = state === "fine" ? "" : say(`check_${name}_${state}`);
  text.append(title, more);
  item.append(sign(state), text);
  return item;
}

function sign(state) {
  const namespace = "http://www.w3.org/2000/svg";
  const [picture, path] = [document.createElementNS(namespace, "svg"), document.createElementNS(namespace, "path")];
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", { fine: "m5 12.5 5 5 9-11", missing: "m6 6 12 12m0-12L6 18", at_risk: "M12 5v9m0 4.5v.2" }[state]);
  picture.append(path);
  return picture;
}

function readLink(text) {
  const address = addressOf(text);
  const offered = address === null ? null : readFragment(address.hash);
  if (offered === null) return { wrong: ["setup_not_ours"] };
  if (address.host !== location.host) return { wrong: ["setup_other_site", { site: address.host }] };
  return { offered };
}

function addressOf(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function sayRefusal(error) {
  if (error instanceof Unreachable) return say("setup_error_network");
  if (!(error instanceof Refusal)) return say("check_storage_missing");
  return KNOWN.includes(error.code) ? say(`setup_error_${error.code}`) : say("setup_error_other", { code: error.code });
}
