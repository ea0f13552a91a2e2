/**
 * Scanners that are plugged in as keyboards: characters much faster than fingers, then Enter or Tab.
 *
 * What they type must not press a button. Single keys, as a person types them, are handed on once it is clear that no
 * burst follows.
 */

const BURST_MS = 100;
const SHORTEST = 4;
const ENDS = ["Enter", "Tab"];

/**
 * @param {{onText: (text: string) => void, onKey: (key: string) => boolean}} listener `onKey` says whether it took the key
 */
export function listenToWedge({ onText, onKey }) {
  let typed = "";
  let last = 0;
  let lone = null;

  addEventListener("keydown", keydown, { capture: true });
  addEventListener("keyup", swallowWhileTyping, { capture: true });

  function keydown(event) {
    if (event.isComposing || event.metaKey || isField(event.target)) return;
    if (event.timeStamp - last > BURST_MS) typed = "";
    const inBurst = typed !== "";
    if (ENDS.includes(event.key)) return end(event, inBurst);
    if (event.key.length === 1 && (!event.ctrlKey || event.altKey)) return character(event, inBurst);
    if (!inBurst && onKey(event.key)) swallow(event);
  }

  function character(event, inBurst) {
    typed += event.key;
    last = event.timeStamp;
    clearTimeout(lone);
    if (!inBurst) lone = setTimeout(() => onKey(event.key), BURST_MS);
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
      onText(text);
    } else if (event.key === "Enter" && event.target === document.body && onKey("Enter")) {
      swallow(event);
    }
  }

  function swallowWhileTyping(event) {
    if (!isField(event.target) && event.timeStamp - last < BURST_MS && event.key === " ") swallow(event);
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
