/** What the kiosk needs of the browser: what is there, and what is missing. */

import { available } from "./core/keys.js";

/**
 * @returns {Promise<Array<{name: string, state: "fine" | "missing" | "at_risk", needed: boolean}>>} `needed`: without it
 *   there is no kiosk at all
 */
export async function checkBrowser() {
  const [camera, keys, storage] = await Promise.all([hasCamera(), available(), storageState()]);
  return [
    { name: "secure", state: state(isSecureContext), needed: true },
    { name: "camera", state: state(camera), needed: false },
    { name: "keys", state: state(keys), needed: false },
    { name: "storage", state: storage, needed: true },
  ];
}

function state(there) {
  return there ? "fine" : "missing";
}

async function hasCamera() {
  if (!navigator.mediaDevices?.getUserMedia || typeof OffscreenCanvas === "undefined") return false;
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.some(({ kind }) => kind === "videoinput");
}

async function storageState() {
  if (typeof indexedDB === "undefined") return "missing";
  const lasting = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  return lasting ? "fine" : "at_risk";
}
