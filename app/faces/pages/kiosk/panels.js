/**
 * The panels over the page: while one is open, what lies behind cannot be reached. Nobody leaves one open for long.
 *
 * A panel takes the focus, and gives it back to where somebody was who came by the keyboard.
 */

const IDLE_MS = 30_000;
const OPEN = ".panel:not([hidden])";

let cameFrom = null;

export function open(panel) {
  closeAll();
  cameFrom = document.querySelector(":focus-visible");
  setOpen(panel, true);
  panel.focus();
}

export function close(panel) {
  if (panel.hidden) return;
  setOpen(panel, false);
  if (document.activeElement !== document.body) document.activeElement?.blur();
  cameFrom?.focus();
  cameFrom = null;
}

export function areClosed() {
  return document.querySelector(OPEN) === null;
}

export function closeAll() {
  for (const panel of document.querySelectorAll(OPEN)) panel.dispatchEvent(new Event("close"));
}

/** Close what somebody opened and walked away from. */
export function closeWhenIdle() {
  let timer = null;
  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(closeAll, IDLE_MS);
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touched, { capture: true });
}

function setOpen(panel, isOpen) {
  panel.hidden = !isOpen;
  for (const behind of document.querySelectorAll("header, main")) behind.inert = isOpen;
}
