/**
 * Scanners that are plugged in as keyboards: characters much faster than fingers, then Enter or Tab.
 *
 * What they type must not press a button. Single keys, as a person types them, are handed on once it is clear that no
 * burst follows. A scanner on a radio link pauses in the middle of a code: once it is clear that it is one, it may.
 */

const BURST_MS = 100;
const PAUSE_MS = 400;
const SHORTEST = 4;
const ENDS = ["Enter", "Tab"];
const PRESSED = "button, input, textarea, select, a";

/**
 * @param {{onText: (text: string) => void, onKey: (key: string) => boolean}} listener `onKey` says whether it took the key
 * @param {EventTarget} keyboard whose keys are listened to
 */
export function listenToWedge({ onText, onKey }, keyboard = globalThis) {
  let typed = "";
  let last = 0;
  let burst = -Infinity; // when a key came as fast as from a scanner
  let lone = null;

  keyboard.addEventListener("keydown", keydown, { capture: true });
  keyboard.addEventListener("keyup", swallowWhileTyping, { capture: true });

  function keydown(event) {
    if (event.isComposing || event.metaKey || isField(event.target)) return;
    if (event.timeStamp - last > patience()) typed = "";
    const inBurst = typed !== "";
    if (ENDS.includes(event.key)) return end(event, inBurst);
    if (event.key.length === 1 && (!event.ctrlKey || event.altKey)) return character(event, inBurst);
    if (!inBurst && onKey(event.key)) swallow(event);
  }

  function patience() {
    return typed.length >= SHORTEST ? PAUSE_MS : BURST_MS;
  }

  function character(event, inBurst) {
    typed += event.key;
    last = event.timeStamp;
    clearTimeout(lone);
    if (inBurst) burst = event.timeStamp;
    else lone = setTimeout(() => onKey(event.key), BURST_MS);
    // A space begins no code: it is somebody who presses the button that has the focus.
    if (event.key !== " " || inBurst) swallow(event);
    else typed = "";
  }

  function end(event, inBurst) {
    clearTimeout(lone);
    if (inBurst && typed.length >= SHORTEST) {
      swallow(event);
      const text = typed;
      typed = "";
      burst = event.timeStamp; // some send Enter and Tab
      onText(text);
    } else if (event.timeStamp - burst <= PAUSE_MS) {
      swallow(event);
    } else if (event.key === "Enter" && !event.target.matches?.(PRESSED) && onKey("Enter")) {
      swallow(event);
    }
  }

  function swallowWhileTyping(event) {
    if (!isField(event.target) && event.timeStamp - last < patience() && event.key === " ") swallow(event);
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function isField(target) {
  return target.matches?.("input, textarea") ?? false;
}
