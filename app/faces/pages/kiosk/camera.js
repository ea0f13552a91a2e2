/** The camera: its picture on the screen, and the codes in it. It is asked for again when it was lost. */

const AGAIN_MS = 2_000;
const FACING = "kiosk-camera";

export class Camera {
  /**
   * @param {HTMLVideoElement} video
   * @param {{onCodes: (texts: string[]) => void, onChange: () => void}} listener
   */
  constructor(video, { onCodes, onChange }) {
    this.state = "starting"; // on, lost, denied, none
    this.milliseconds = [];
    this._video = video;
    this._onCodes = onCodes;
    this._onChange = onChange;
    this._stream = null;
    this._worker = null;
    this._busy = true; // until the scanner is ready
    this._timer = null;
  }

  /** Ask for the camera; while there is none, again and again. */
  async start() {
    clearTimeout(this._timer);
    this._startScanner();
    try {
      const facingMode = localStorage.getItem(FACING) ?? "user";
      const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode, ...size }, audio: false });
      await this._show(stream);
    } catch (error) {
      this._lost(STATE_BY_ERROR[error.name] ?? "lost");
    }
  }

  /** Use the other camera, where the tablet has two. */
  async flip() {
    const other = (localStorage.getItem(FACING) ?? "user") === "user" ? "environment" : "user";
    localStorage.setItem(FACING, other);
    this._stop();
    await this.start();
  }

  async _show(stream) {
    this._stop();
    this._stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => stream === this._stream && this._lost("lost"));
    this._video.classList.toggle("mirrored", track.getSettings().facingMode !== "environment");
    this._video.srcObject = stream;
    await this._video.play();
    this._set("on");
    this._pump(stream);
  }

  /** Hand every frame to the scanner that comes while it is idle. */
  _pump(stream) {
    const each = async () => {
      if (stream !== this._stream) return;
      this._video.requestVideoFrameCallback(each);
      if (this._busy || document.hidden) return;
      this._busy = true;
      try {
        const frame = await createImageBitmap(this._video);
        this._worker.postMessage(frame, [frame]);
      } catch {
        this._busy = false; // a frame that cannot be read is none
      }
    };
    this._video.requestVideoFrameCallback(each);
  }

  _startScanner() {
    if (this._worker !== null) return;
    this._worker = new Worker(new URL("scanner.worker.js", import.meta.url), { type: "module" });
    this._worker.onerror = (event) => this._broken(event.message);
    this._worker.onmessage = ({ data }) => {
      if (data.failed) return this._broken(data.failed);
      this._busy = false;
      if (data.ready) return;
      this.milliseconds = [...this.milliseconds.slice(-99), data.milliseconds];
      if (data.texts.length > 0) this._onCodes(data.texts);
    };
  }

  /** The scanner failed: a new one is started, with the camera. */
  _broken(why) {
    console.error("The scanner failed.", why);
    this._worker.terminate();
    this._worker = null;
    this._busy = true;
    this._lost("lost");
  }

  _stop() {
    const stream = this._stream;
    this._stream = null;
    stream?.getTracks().forEach((track) => track.stop());
    this._video.srcObject = null;
  }

  _lost(state) {
    this._stop();
    this._set(state);
    this._timer = setTimeout(() => this.start(), AGAIN_MS);
  }

  _set(state) {
    if (state === this.state) return;
    this.state = state;
    this._onChange();
  }
}

const STATE_BY_ERROR = { NotAllowedError: "denied", NotFoundError: "none", OverconstrainedError: "none", TypeError: "none" };
