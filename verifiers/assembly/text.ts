import { BACKSLASH, QUOTE, marks } from "./scan";

/** afterFirst and afterSecond are the places behind the two strings that orderText has just found equal. */
export let afterFirst: usize = 0;
export let afterSecond: usize = 0;

let cursor: usize = 0;

/**
 * orderText compares two strings, which begin with their quotes, by what they mean: below 0, 0 or above it. Escapes stand for
 * their characters; the order is that of code points.
 */
export function orderText(a: usize, b: usize): i32 {
  const end = ((<usize>memory.size()) << 16) - 8;
  a++;
  b++;
  while (a <= end && b <= end) {
    const x = load<u64>(a);
    if (x != load<u64>(b) || marks(x) != 0) break;
    a += 8;
    b += 8;
  }
  while (true) {
    const c = load<u8>(a);
    const d = load<u8>(b);
    if (c == QUOTE || d == QUOTE) {
      afterFirst = a + 1;
      afterSecond = b + 1;
      return c == d ? 0 : c == QUOTE ? -1 : 1;
    }
    if (c != BACKSLASH && d != BACKSLASH) {
      if (c != d) return c < d ? -1 : 1;
      a++;
      b++;
      continue;
    }
    const x = codePoint(a);
    a = cursor;
    const y = codePoint(b);
    b = cursor;
    if (x != y) return x < y ? -1 : 1;
  }
}

/** decodeText writes the characters of the string that begins here, as UTF-8. They take no more room than the string does. It
 * gives the place behind what it wrote, and leaves the place behind the string in afterFirst. */
export function decodeText(at: usize, to: usize): usize {
  cursor = at + 1;
  while (true) {
    const c = load<u8>(cursor);
    if (c == QUOTE) break;
    if (c != BACKSLASH) {
      store<u8>(to++, c);
      cursor++;
    } else {
      to = encode(codePoint(cursor), to);
    }
  }
  afterFirst = cursor + 1;
  return to;
}

/** codePoint reads one character, escaped or not, and leaves the place behind it in cursor. */
function codePoint(at: usize): u32 {
  const c: u32 = load<u8>(at);
  if (c == BACKSLASH) return escaped(at);
  if (c < 0x80) {
    cursor = at + 1;
    return c;
  }
  const n: u32 = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
  let point = c & (0x3f >> n);
  for (let i: u32 = 1; i <= n; i++) point = (point << 6) | (load<u8>(at + i) & 0x3f);
  cursor = at + 1 + n;
  return point;
}

function escaped(at: usize): u32 {
  const c: u32 = load<u8>(at + 1);
  cursor = at + 2;
  if (c == 0x75) {
    const high = hex(at + 2);
    cursor = at + 6;
    if ((high & 0xfc00) != 0xd800) return high;
    cursor = at + 12;
    return 0x10000 + ((high & 0x3ff) << 10) + (hex(at + 8) & 0x3ff);
  }
  if (c == 0x6e) return 0x0a;
  if (c == 0x74) return 0x09;
  if (c == 0x72) return 0x0d;
  if (c == 0x62) return 0x08;
  if (c == 0x66) return 0x0c;
  return c;
}

function hex(at: usize): u32 {
  let n: u32 = 0;
  for (let i = 0; i < 4; i++) {
    const c: u32 = load<u8>(at + i);
    n = (n << 4) | (c < 0x3a ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return n;
}

function encode(point: u32, to: usize): usize {
  if (point < 0x80) {
    store<u8>(to, point);
    return to + 1;
  }
  let n: u32 = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  store<u8>(to, (<u32>0xff << (7 - n)) | (point >> (6 * n)));
  for (to++; n > 0; to++) store<u8>(to, 0x80 | ((point >> (6 * --n)) & 0x3f));
  return to;
}

/** quoteText writes characters, given as UTF-8, as a string that orderText can read. It needs room for twice as many and two. */
export function quoteText(from: usize, end: usize, to: usize): usize {
  store<u8>(to++, QUOTE);
  for (; from < end; from++) {
    const c = load<u8>(from);
    if (c == QUOTE || c == BACKSLASH) store<u8>(to++, BACKSLASH);
    store<u8>(to++, c);
  }
  store<u8>(to++, QUOTE);
  return to;
}
