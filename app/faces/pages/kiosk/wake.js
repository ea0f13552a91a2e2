/** The screen stays on while the page is shown, and fills the tablet when asked. */

/** Keep the screen awake, where the browser can. A lock is gone whenever the page was hidden. */
export function stayAwake() {
  const lock = () => document.visibilityState === "visible" && navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", lock);
  lock();
}

export function canFillScreen() {
  return document.fullscreenEnabled === true;
}

export async function toggleFullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen({ navigationUI: "hide" });
}
