/** The kiosk page: put together. */

import "./contents.js";
import { showAbout } from "./about.js";
import { Camera } from "./camera.js";
import { Gate } from "./gate.js";
import { Keypad } from "./keypad.js";
import { Kiosk } from "./kiosk.js";
import { showNotices } from "./notices.js";
import { keepOffline } from "./offline_copy.js";
import * as panels from "./panels.js";
import * as screen from "./screen.js";
import { Setup, takeFragment } from "./setup.js";
import { canBeHeard, play, unmuteAtFirstTouch } from "./tones.js";
import { canFillScreen, stayAwake, toggleFullScreen } from "./wake.js";
import { listenToWedge } from "./wedge.js";
import { switchLanguage } from "./words.js";

const TICK_MS = 1_000;

const fragment = takeFragment();
const byId = (id) => document.getElementById(id);

screen.showWords();
screen.showMessage("loading", "loading");
byId("reload").addEventListener("click", () => location.reload());

try {
  await theOnlyWindow();
  await begin(await Kiosk.open(self.CONTENTS.version));
} catch (error) {
  console.error(error);
  screen.showMessage("broken", "broken");
}

async function begin(kiosk) {
  const gate = new Gate(kiosk);
  const setup = new Setup(kiosk, ready);
  const keypad = new Keypad(byId("keypad"), (text) => gate.take(text));
  const read = (text) => (setup.isFinding ? setup.offer(text) : atTheGate() && gate.take(text));
  const camera = new Camera(byId("camera"), {
    onCodes: (texts) => (setup.isFinding ? setup.offer(texts[0]) : atTheGate() && gate.see(texts)),
    onChange: refresh,
  });

  function ready() {
    screen.showReady(null);
    kiosk.start();
    refresh();
  }

  function refresh() {
    if (kiosk.device.revoked && atTheGate()) setup.find();
    else if (!kiosk.device.revoked && screen.state() === "revoked") ready();
    screen.showPlace(kiosk, camera);
    showNotices(kiosk);
  }

  function speak() {
    screen.showWords();
    screen.showLast(null);
    setup.say();
    refresh();
  }

  addEventListener("hashchange", () => {
    const offered = takeFragment();
    if (offered !== null) setup.confirm(offered);
  });
  kiosk.addEventListener("change", refresh);
  setInterval(refresh, TICK_MS);
  listenToWedge({ onText: read, onKey: (key) => keypad.press(key) || (key === "Escape" && panels.closeAll()) });
  panels.closeWhenIdle();
  wireButtons({ kiosk, camera, keypad, speak, refresh });
  stayAwake();

  if (fragment !== null) setup.confirm(fragment);
  else if (kiosk.device.isSetUp && !kiosk.device.revoked) ready();
  else setup.find();
  if (kiosk.device.isSetUp) kiosk.start();
  speak();
  await Promise.all([camera.start(), keepOffline(() => gate.isIdle && panels.areClosed() && !kiosk.isSending)]);
}

function wireButtons({ kiosk, camera, keypad, speak, refresh }) {
  const on = (id, action) => byId(id).addEventListener("click", action);
  on("language", () => [switchLanguage(), speak()]);
  on("keypad-open", () => keypad.open());
  on("camera-again", () => camera.start());
  on("full-screen", toggleFullScreen);
  byId("full-screen").hidden = !canFillScreen();
  on("about-open", () => [showAbout(kiosk, camera), panels.open(byId("about"))]);
  on("about-close", () => panels.close(byId("about")));
  byId("about").addEventListener("close", () => panels.close(byId("about")));
  on("flip", () => camera.flip());
  on("hear", () => [play("admit"), setTimeout(() => play("deny"), 900)]);
  byId("ways").addEventListener("click", async ({ target }) => {
    if (target.dataset.way) await kiosk.device.learn({ way: target.dataset.way });
    refresh();
  });
  unmuteAtFirstTouch(() => {
    document.body.dataset.sound = canBeHeard() ? "on" : "off";
    byId("sound").dataset.label = canBeHeard() ? "sound_on" : "sound_off";
    screen.showWords();
  });
  // A button that was pressed by hand lets go of the focus: the next Enter is a scanner's.
  addEventListener("pointerup", () => setTimeout(() => document.activeElement?.matches("button") && document.activeElement.blur()));
}

function atTheGate() {
  return ["ready", "admit", "deny"].includes(screen.state());
}

/** Two windows would each let the same code in while there is no network: the second waits for the first to close. */
async function theOnlyWindow() {
  if (!navigator.locks) return;
  await new Promise((resolve) => {
    const waiting = setTimeout(() => screen.showMessage("elsewhere", "elsewhere"), 1_500);
    navigator.locks.request("gatepass-kiosk", () => {
      clearTimeout(waiting);
      resolve();
      return new Promise(() => {}); // held until the window is closed
    });
  });
}
