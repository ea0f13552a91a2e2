/** The gate's screen at work: from a text that was read to a verdict, and back to ready. */

import { InView } from "./in_view.js";
import { closeAll } from "./panels.js";
import * as screen from "./screen.js";
import { play } from "./tones.js";

const SHOWN_MS = 1_200;
const LAST_SHOWN_MS = 6_000;
const ASKING_AFTER_MS = 250;
const FINAL = ["unrecognised"];
const OURS = /^(?:\\[0-9]{6})?GP[0-9]/;

export class Gate {
  constructor(kiosk) {
    this._kiosk = kiosk;
    this._inView = new InView();
    this._asking = false;
    this._waiting = null;
    this._back = null;
    this._clearLast = null;
  }

  /** Whether nobody is being asked about or shown anything. */
  get isIdle() {
    return !this._asking && this._waiting === null && screen.state() === "ready";
  }

  /** Texts that the camera sees. Those of another kind beside one of ours are posters on the wall. */
  see(texts) {
    const ours = texts.filter((text) => OURS.test(text));
    const seen = ours.length > 0 ? ours.sort() : texts.slice(0, 1);
    const [all, now] = [seen.join("\n"), performance.now()];
    if (this._asking) this._inView.stays(all, now);
    else if (this._inView.isFresh(all, now)) seen.length > 1 ? this._show(this._refused("ambiguous"), all) : this._ask(all, all);
  }

  /** A text from a scanner or the keypad. It waits while another one is asked for. */
  take(text) {
    if (this._asking) this._waiting = text;
    else this._ask(text, null);
  }

  async _ask(text, seen) {
    this._asking = true;
    const slow = setTimeout(() => screen.showAsking(true), ASKING_AFTER_MS);
    let verdict;
    try {
      verdict = await this._kiosk.verify(text);
    } catch (error) {
      console.error(error); // whatever it is, nobody goes in by it
      verdict = this._refused("not_asked");
    }
    clearTimeout(slow);
    screen.showAsking(false);
    this._asking = false;
    this._show(verdict, seen);
    if (this._waiting !== null) {
      const next = this._waiting;
      this._waiting = null;
      this._ask(next, null);
    }
  }

  _show(verdict, seen) {
    const admitted = verdict.decision === "admit";
    this._inView.shown(seen, admitted || FINAL.includes(verdict.reason), performance.now());
    closeAll();
    screen.showVerdict(verdict);
    play(verdict.again ? "again" : verdict.decision);
    navigator.vibrate?.(admitted ? 60 : [60, 80, 60]);
    clearTimeout(this._back);
    clearTimeout(this._clearLast);
    this._back = setTimeout(() => this._ready(verdict), SHOWN_MS);
  }

  _ready(verdict) {
    if (this._kiosk.device.revoked) return;
    screen.showReady(verdict.decision === "deny" ? verdict : null);
    this._clearLast = setTimeout(() => screen.showLast(null), LAST_SHOWN_MS);
  }

  _refused(reason) {
    const direction = this._kiosk.device.direction ?? "entry";
    return { decision: "deny", reason, direction, name: null, peopleLeft: 0, notBefore: null, offline: false, again: false };
  }
}
