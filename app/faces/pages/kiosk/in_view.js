/**
 * Which of the codes that a polling camera sees is to be verified: one that stays in view is verified once.
 *
 * It is fresh again once it was out of view for a second. One that was refused is tried again after three seconds, where
 * somebody waits with it; one that was admitted is not, since nobody wants to see red for holding still, nor is one that
 * is no code of ours: it will not become one.
 */

const GONE_MS = 1_000;
const AGAIN_MS = 3_000;

export class InView {
  constructor() {
    this._text = null;
    this._seen = 0;
    this._deniedAt = null;
  }

  /** Whether this text, seen now (milliseconds), is to be verified. */
  isFresh(text, now) {
    const stays = text === this._text && now - this._seen < GONE_MS;
    this._seen = now;
    const again = this._deniedAt !== null && now - this._deniedAt >= AGAIN_MS;
    if (stays && !again) return false;
    this._text = text;
    this._deniedAt = null;
    return true;
  }

  /** This text is seen now, while another attempt, or its own, is being asked for. */
  stays(text, now) {
    if (text === this._text) this._seen = now;
  }

  /** The result for the text in view was shown now. `final`: asked again, it would be the same. */
  shown(text, final, now) {
    if (text === this._text && !final) this._deniedAt = now;
  }
}
