/** signals.js: what a guard hears and feels: short tones and vibration, different for each verdict; and a screen that stays awake. */
const TONES = {
  green: [[880, 0, 0.09], [1318, 0.1, 0.16]],
  amber: [[523, 0, 0.14], [523, 0.2, 0.14]],
  red: [[196, 0, 0.22], [196, 0.28, 0.22], [147, 0.56, 0.4]],
};
const BUZZ = { green: [60], amber: [120, 80, 120], red: [300, 100, 300, 100, 300] };

let audio = null;
/** Browsers let a page sound only after it was touched: called at every touch. */
export function unlock() {
  try {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume();
  } catch { audio = null; }
}

function tone(frequency, from, length, shape) {
  const [oscillator, gain] = [audio.createOscillator(), audio.createGain()];
  const at = audio.currentTime + from;
  oscillator.type = shape;
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(0.5, at + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + length + 0.02);
}

const on = (name) => localStorage.getItem(`gate.${name}`) !== "no";

/** Sound and vibrate for a tone: green, amber or red. */
export function signal(which) {
  if (on("sound") && audio?.state === "running") for (const [frequency, from, length] of TONES[which]) tone(frequency, from, length, which === "red" ? "square" : "sine");
  if (on("vibration") && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(BUZZ[which]);
}

let lock = null;
/** Keep the screen awake while the page is looked at. */
export async function stayAwake() {
  if (lock || document.visibilityState !== "visible") return;
  lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
  lock?.addEventListener("release", () => { lock = null; });
}
