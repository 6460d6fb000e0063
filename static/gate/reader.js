/* reader.js: a worker (served as /gate/reader.js) that finds codes in pictures: BarcodeDetector where there is one, then ZXing (vendored WebAssembly). */
/* global ZXingWASM, BarcodeDetector */
importScripts("/static/vendor/zxing-reader.js");

const OPTIONS = { formats: ["QRCode"], tryHarder: true, tryRotate: true, tryInvert: true, tryDownscale: true, maxNumberOfSymbols: 4, textMode: "Plain" };
const QUICK = { ...OPTIONS, tryHarder: false, tryInvert: false };
const ANY = { ...OPTIONS, formats: [] };
const SIDES = [1280, 2400, 800];

ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => "/static/vendor/zxing-reader.wasm" }, fireImmediately: true });

const own = (async () => {
  try {
    const formats = await BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch { return null; }
})();

async function byBrowser(bitmap) {
  const detector = await own;
  if (!detector) return [];
  const found = await detector.detect(bitmap).catch(() => []);
  return found.map(({ rawValue, format }) => ({ text: rawValue, format: `QR ${format}` })).filter(({ text }) => text);
}

const found = (results) => results.filter((each) => each.isValid && each.text).map(({ text, format }) => ({ text, format }));

function pixels(bitmap, side, filter = "none") {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((n) => Math.max(1, Math.round(n * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.filter = filter;
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** A camera frame: one quick look, since the next one comes soon. */
async function glance(bitmap) {
  const first = await byBrowser(bitmap);
  return first.length ? first : found(await ZXingWASM.readBarcodes(pixels(bitmap, 1280), QUICK));
}

/** A picture that was taken or chosen: several tries, the last for codes of any kind, so that the page can say what it is. */
async function study(bitmap) {
  const first = await byBrowser(bitmap);
  if (first.length) return first;
  for (const side of SIDES) {
    const some = found(await ZXingWASM.readBarcodes(pixels(bitmap, side), OPTIONS));
    if (some.length) return some;
  }
  const grey = found(await ZXingWASM.readBarcodes(pixels(bitmap, 1600, "grayscale(1) contrast(2)"), { ...OPTIONS, binarizer: "GlobalHistogram" }));
  return grey.length ? grey : found(await ZXingWASM.readBarcodes(pixels(bitmap, 1280), ANY));
}

self.onmessage = async ({ data: { id, picture, frame } }) => {
  try {
    const bitmap = frame ?? await createImageBitmap(picture);
    const codes = await (frame ? glance(bitmap) : study(bitmap));
    bitmap.close();
    self.postMessage({ id, codes });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
