/** Reads QR codes out of camera frames, off the page's own thread. Gets an ImageBitmap, answers the texts in it. */

import { prepareZXingModule, readBarcodes } from "./vendor/zxing-wasm/es/reader/index.js";

const LONGEST_SIDE = 1024;
const QUICK = { formats: ["QRCode"], tryInvert: false, tryDownscale: false, maxNumberOfSymbols: 4 };
const THOROUGH = { formats: ["QRCode"], tryInvert: true, tryDownscale: true, maxNumberOfSymbols: 4 };

const canvas = new OffscreenCanvas(1, 1);
const pen = canvas.getContext("2d", { willReadFrequently: true });
let frames = 0;

const ready = prepareZXingModule({
  overrides: { locateFile: (name) => new URL(`vendor/zxing-wasm/reader/${name}`, import.meta.url).href },
  fireImmediately: true,
});

onmessage = async ({ data: frame }) => {
  try {
    const picture = scaled(frame);
    const started = performance.now();
    const texts = await textsIn(picture);
    postMessage({ texts, milliseconds: performance.now() - started });
  } catch (error) {
    postMessage({ failed: error.message });
  }
};

try {
  await ready;
  await readBarcodes(new ImageData(64, 64), QUICK); // the first time is slow
  postMessage({ ready: true });
} catch (error) {
  postMessage({ failed: error.message });
}

/** Codes in light on dark, or very large ones, are looked for in every other frame. */
async function textsIn(picture) {
  const read = await readBarcodes(picture, frames++ % 2 === 0 ? QUICK : THOROUGH);
  return [...new Set(read.filter((each) => each.isValid).map((each) => each.text))];
}

function scaled(frame) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(frame.width, frame.height));
  const [width, height] = [Math.round(frame.width * scale), Math.round(frame.height * scale)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  pen.drawImage(frame, 0, 0, width, height);
  frame.close();
  return pen.getImageData(0, 0, width, height);
}
