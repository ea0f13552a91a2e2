/** Keeps a copy of the page in the browser, by the service worker, so that it opens without the network. */

const CHECK_EVERY_MS = 3_600_000;

/** @param {() => boolean} idle whether nobody would notice: then a newer page may take over */
export async function keepOffline(idle) {
  if (!navigator.serviceWorker) return;
  let kept = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!kept) return (kept = true); // the first copy is of this very page
    const turn = setInterval(() => idle() && [clearInterval(turn), location.reload()], 500);
  });
  try {
    const registration = await navigator.serviceWorker.register("/kiosk/sw.js", { scope: "/kiosk", updateViaCache: "none" });
    setInterval(() => registration.update().catch(() => {}), CHECK_EVERY_MS);
    await navigator.serviceWorker.ready;
    document.body.dataset.copy = "kept";
  } catch (error) {
    console.warn("The page cannot be kept offline.", error.message); // it works all the same, with a network
  }
}
