// The page's words, in the language of the browser or the one that was chosen by hand.

import * as en from "./words/en.js";
import * as zh from "./words/zh.js";

const LANGUAGES = { en, zh };
const TAG = { en: "en", zh: "zh-Hans" };
const CHOSEN = "kiosk-language";

let current = chosen() ?? ofTheBrowser();

export function language() {
  return current;
}

/** The language tag for dates and for the page's `lang`. */
export function tag() {
  return TAG[current];
}

export function switchLanguage() {
  current = current === "en" ? "zh" : "en";
  try {
    localStorage.setItem(CHOSEN, current);
  } catch {
    // A browser that keeps nothing: the choice lasts until the page is closed.
  }
}

export function say(key, values = {}) {
  const words = LANGUAGES[current].PAGE[key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** What is wrong and what to do, of a reason code. A code of a newer service is said as `not_asked` is. */
export function sayReason(code) {
  const { REASONS } = LANGUAGES[current];
  const [what, todo] = REASONS[code] ?? REASONS.not_asked;
  return { what, todo };
}

/** How long, in the largest units that matter to a person. */
export function sayDuration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return say("seconds", { n: Math.max(0, Math.floor(seconds)) });
  if (minutes < 60) return say("minutes", { n: minutes });
  if (minutes >= 2880) return say("days", { n: Math.floor(minutes / 1440) });
  const hours = Math.floor(minutes / 60);
  if (minutes % 60 === 0) return say("hours", { n: hours });
  return say("hours_minutes", { h: hours, m: minutes % 60 });
}

export function sayTime(date) {
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(tag(), { ...day, hour: "2-digit", minute: "2-digit" }).format(date);
}

/** Put the words of the language into every element that names some. */
export function putWords(root) {
  document.documentElement.lang = tag();
  document.title = say("title");
  for (const element of root.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}

function chosen() {
  try {
    const kept = localStorage.getItem(CHOSEN);
    return kept in LANGUAGES ? kept : null;
  } catch {
    return null;
  }
}

function ofTheBrowser() {
  const first = (navigator.languages ?? [navigator.language]).find((each) => /^(en|zh)\b/i.test(each));
  return first?.toLowerCase().startsWith("zh") ? "zh" : "en";
}
