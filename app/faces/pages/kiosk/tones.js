/** Tones that cannot be mistaken: rising for admit, falling for deny, level for once more the same. Browsers are silent until somebody touched. */

const NOTES = {
  admit: { type: "sine", pitches: [660, 880, 1320], length: 0.11, gain: 0.35 },
  again: { type: "sine", pitches: [440, 440], length: 0.14, gain: 0.3 },
  deny: { type: "triangle", pitches: [330, 247, 165], length: 0.17, gain: 0.5 },
};

let audio = null;

/** Let the page be heard, from within a touch or a key. `onChange` is told whether it is. */
export function unmuteAtFirstTouch(onChange) {
  const resume = async () => {
    audio ??= new AudioContext();
    await audio.resume();
    onChange(canBeHeard());
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => !canBeHeard() && resume(), { capture: true });
}

export function canBeHeard() {
  return audio?.state === "running";
}

/** @param {"admit" | "again" | "deny"} name */
export function play(name) {
  if (!canBeHeard()) return;
  const { type, pitches, length, gain } = NOTES[name];
  pitches.forEach((pitch, place) => note(type, pitch, audio.currentTime + place * length, length, gain));
}

function note(type, pitch, start, length, gain) {
  const tone = new OscillatorNode(audio, { type, frequency: pitch });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(gain, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + length * 1.6);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + length * 1.7);
}
