/** scanner.js: the camera and the pictures, read in a worker so that the view stays smooth. */
const WIDEST = 1280;
let worker = null;
let asked = 0;
const waiting = new Map();

function reader() {
  if (worker) return worker;
  worker = new Worker("/gate/reader.js");
  worker.onmessage = ({ data }) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const done of waiting.values()) done({ error: event.message || "worker" });
    waiting.clear();
    worker = null;
  };
  return worker;
}

function ask(message, transfer = []) {
  return new Promise((resolve) => {
    asked += 1;
    waiting.set(asked, resolve);
    reader().postMessage({ id: asked, ...message }, transfer);
  });
}

/** Load the reader before it is needed. */
export const warm = () => reader();

/** The codes in a picture: `{ codes: [{ text, format }] }` or `{ error }` when it is no picture. */
export const readPicture = (picture) => ask({ picture });

/** The code to judge among those found: ours first. */
export const best = (codes) => codes.find(({ text }) => /\/C\/[A-Z2-7]{60,}/i.test(text)) ?? codes[0];

/** The camera in a <video>; `onCode(code)` for each code that was not the last one. */
export class Camera {
  constructor(video, onCode) {
    Object.assign(this, { video, onCode, stream: null, paused: false });
  }

  get track() { return this.stream?.getVideoTracks()[0] ?? null; }
  get hasTorch() { return Boolean(this.track?.getCapabilities?.().torch); }

  /** Start; throws when the camera is refused or missing. */
  async start() {
    if (this.stream) return;
    const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    this.track.applyConstraints({ advanced: [{ focusMode: "continuous" }] }).catch(() => undefined);
    this.track.addEventListener("ended", () => this.stop());
    this.video.srcObject = this.stream;
    await this.video.play();
    this.watch(this.stream);
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  async torch(on) { await this.track.applyConstraints({ advanced: [{ torch: on }] }); }

  async watch(stream) {
    while (this.stream === stream) {
      await new Promise((resolve) => (this.video.requestVideoFrameCallback ? this.video.requestVideoFrameCallback(resolve) : setTimeout(resolve, 80)));
      if (this.paused || this.stream !== stream || !this.video.videoWidth) continue;
      const frame = await createImageBitmap(this.video, { resizeWidth: Math.min(WIDEST, this.video.videoWidth) });
      const { codes = [] } = await ask({ frame }, [frame]);
      if (codes.length && !this.paused && this.stream === stream) this.onCode(best(codes));
    }
  }
}
