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
  await ready;
  const picture = scaled(frame);
  const started = performance.now();
  // Codes in light on dark, or very large ones, are looked for in every other frame.
  const read = await readBarcodes(picture, frames++ % 2 === 0 ? QUICK : THOROUGH);
  const texts = [...new Set(read.filter((each) => each.isValid).map((each) => each.text))];
  postMessage({ texts, milliseconds: performance.now() - started });
};

ready.then(async () => {
  await readBarcodes(new ImageData(64, 64), QUICK); // the first time is slow
  postMessage({ ready: true });
});

function scaled(frame) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(frame.width, frame.height));
  const [width, height] = [Math.round(frame.width * scale), Math.round(frame.height * scale)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  pen.drawImage(frame, 0, 0, width, height);
  frame.close();
  return pen.getImageData(0, 0, width, height);
}
