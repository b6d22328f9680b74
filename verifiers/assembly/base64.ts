import { Bytes } from "./bytes";
import { skipString } from "./scan";
import { decodeText } from "./text";
import { Kind, Value } from "./value";

/** base64 gives the bytes that a string writes in base64 (RFC 4648, section 4), padded and in the one way there is to write
 * them; null for any other value. */
export function base64(value: Value): Bytes | null {
  if (value.kind != Kind.String) return null;
  return base64At(value.at, heap.alloc(skipString(value.at) - value.at));
}

/** base64At does the same for the string that begins with its quote here, and lays the bytes down: they take no more room than
 * the string does. */
export function base64At(at: usize, to: usize): Bytes | null {
  const length = decodeText(at, to) - to;
  return length & 3 ? null : decode(to, to + length);
}

/** decode puts the bytes where the characters were, which are more. */
function decode(text: usize, end: usize): Bytes | null {
  let to = text;
  for (let at = text; at < end; at += 4) {
    const a = digit(load<u8>(at));
    const b = digit(load<u8>(at, 1));
    const left = at + 4 == end ? padding(at) : 0;
    const c = left == 2 ? 0 : digit(load<u8>(at, 2));
    const d = left >= 1 ? 0 : digit(load<u8>(at, 3));
    if ((a | b | c | d) < 0) return null;
    if ((left == 2 && b & 15) || (left == 1 && c & 3)) return null;
    const three = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(to++, three >> 16);
    if (left < 2) store<u8>(to++, three >> 8);
    if (left < 1) store<u8>(to++, three);
  }
  return new Bytes(text, <i32>(to - text));
}

/** padding is how many characters of the last four stand for nothing. */
function padding(at: usize): i32 {
  if (load<u8>(at, 3) != 0x3d) return 0;
  return load<u8>(at, 2) == 0x3d ? 2 : 1;
}

function digit(c: u32): i32 {
  if (c - 0x41 < 26) return c - 0x41;
  if (c - 0x61 < 26) return c - 0x61 + 26;
  if (c - 0x30 < 10) return c - 0x30 + 52;
  return c == 0x2b ? 62 : c == 0x2f ? 63 : -1;
}
