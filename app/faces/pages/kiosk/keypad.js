/** The keypad on the screen: digits in groups as they are typed, delete, OK. */

import * as panels from "./panels.js";

const MOST = 20;
const FEWEST = 12;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "Clear", "0", "Backspace"];

/** The digits in groups as codes are shown: the holder's number, four, four. */
export function grouped(digits) {
  const head = Math.max(4, digits.length - 8);
  return [digits.slice(0, head), digits.slice(head, head + 4), digits.slice(head + 4)].filter(Boolean).join(" ");
}

export class Keypad {
  /** @param {(text: string) => void} onCode */
  constructor(panel, onCode) {
    this._panel = panel;
    this._onCode = onCode;
    this._digits = "";
    this._shown = panel.querySelector("[data-digits]");
    this._ok = panel.querySelector("[data-key=Enter]");
    panel.addEventListener("close", () => this.close());
    panel.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]")?.dataset.key;
      if (key) this.press(key);
    });
  }

  get isOpen() {
    return !this._panel.hidden;
  }

  open() {
    this._set("");
    panels.open(this._panel);
  }

  close() {
    panels.close(this._panel);
    this._set("");
  }

  /** Press a key, by its name as keyboards have it. Whether it is one of the keypad's. */
  press(key) {
    if (!this.isOpen) return false;
    if (key === "Escape") this.close();
    else if (key === "Enter") this._enter();
    else if (key === "Backspace") this._set(this._digits.slice(0, -1));
    else if (key === "Clear") this._set("");
    else if (KEYS.includes(key)) this._set((this._digits + key).slice(0, MOST));
    else return false;
    return true;
  }

  _enter() {
    if (this._digits.length < FEWEST) return;
    const text = grouped(this._digits);
    this.close();
    this._onCode(text);
  }

  _set(digits) {
    this._digits = digits;
    this._shown.textContent = grouped(digits);
    this._panel.dataset.typed = digits.length;
    this._ok.disabled = digits.length < FEWEST;
  }
}
