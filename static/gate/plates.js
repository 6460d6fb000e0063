/** plates.js: plates and printed codes as people type them: shapes of GA 36-2018, letters that look alike, the check character. */
export const PROVINCES = "浙沪苏皖赣闽京津冀晋蒙辽吉黑鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新";
export const PLATE_KEYS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ挂学警港澳";
export const CODE_KEYS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
export const CODE_LENGTH = 9;
export const PLATE_LENGTH = 8;

const SHAPE = new RegExp(`^[${PROVINCES}][A-HJ-NP-Z](?:[A-HJ-NP-Z0-9]{5}|[A-HJ-NP-Z0-9]{4}[挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])$`);
const ALIKE = { O: "0", Q: "0", D: "0", I: "1", L: "1", Z: "2", S: "5", G: "6", B: "8", U: "V" };

/** As it is compared and sent: half-width, upper case, no dots and blanks. */
export const squeezed = (text) => text.normalize("NFKC").replace(/[\s·•・\-—_.]+/g, "").toUpperCase();
/** Whether it has the shape of a plate. */
export const isPlate = (text) => SHAPE.test(squeezed(text));
/** `浙B·12345` for a plate; anything else as it is. */
export const shown = (text) => (isPlate(text) ? `${squeezed(text).slice(0, 2)}·${squeezed(text).slice(2)}` : text);

const folded = (text) => squeezed(text).slice(0, 1) + squeezed(text).slice(1).replace(/./g, (c) => ALIKE[c] ?? c);
/** Whether two plates differ only in characters that are easily taken for one another. */
export const lookAlike = (a, b) => squeezed(a) !== squeezed(b) && folded(a) === folded(b);

/** Whether a printed code of nine characters fits its check character (Luhn mod 32). */
export function isCode(text) {
  const values = Array.from(text, (c) => CODE_KEYS.indexOf(c));
  if (values.length !== CODE_LENGTH || values.includes(-1)) return false;
  const n = CODE_KEYS.length;
  const sum = values.reverse().reduce((total, value, i) => {
    const twice = value * 2;
    return total + (i % 2 ? Math.floor(twice / n) + (twice % n) : value);
  }, 0);
  return sum % n === 0;
}
