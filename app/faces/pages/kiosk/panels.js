/** The panels over the page: while one is open, what lies behind cannot be reached. Nobody leaves one open for long. */

const IDLE_MS = 30_000;

export function open(panel) {
  closeAll();
  setOpen(panel, true);
}

export function close(panel) {
  setOpen(panel, false);
}

export function closeAll() {
  for (const panel of document.querySelectorAll(".panel:not([hidden])")) panel.dispatchEvent(new Event("close"));
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
