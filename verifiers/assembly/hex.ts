import { decodeText } from "./text";
import { skipString } from "./scan";

/** hexLength is how many bytes readHex found. */
export let hexLength: usize = 0;

/**
 * readHex reads the bytes that a JSON string writes as 0x and pairs of hex digits of either case; "0x" stands for none. It lays
 * them down where it is told, which needs room for half as many bytes as the string has, and gives the place behind the last; 0 where
 * the string is written otherwise.
 */
export function readHex(string: usize, to: usize): usize {
  let at = string + 1;
  let end = skipString(string) - 1;
  if (hasEscape(at, end)) {
    const plain = heap.alloc(end - at);
    end = decodeText(string, plain);
    at = plain;
  }
  const length = end - at;
  if (length < 2 || (length & 1) != 0 || load<u16>(at) != 0x7830) return 0; // "0x"
  for (at += 2; at < end; at += 2) {
    const pair = (digit(load<u8>(at)) << 4) | digit(load<u8>(at, 1));
    if (pair > 0xff) return 0;
    store<u8>(to++, <u8>pair);
  }
  hexLength = (length - 2) >> 1;
  return to;
}

function hasEscape(at: usize, end: usize): bool {
  for (; at < end; at++) {
    if (load<u8>(at) == 0x5c) return true;
  }
  return false;
}

/** digit is what a hex digit is worth, and more than a byte where it is none. */
function digit(c: u32): u32 {
  if (c - 0x30 <= 9) return c - 0x30;
  c |= 0x20;
  return c - 0x61 <= 5 ? c - 0x57 : 0x1000;
}

/** writeHex writes 0x and the bytes from one place up to another in lower-case hex, and gives the place behind. */
export function writeHex(from: usize, end: usize, to: usize): usize {
  store<u16>(to, 0x7830); // "0x"
  for (to += 2; from < end; from++, to += 2) {
    const b: u32 = load<u8>(from);
    store<u8>(to, letter(b >> 4));
    store<u8>(to, letter(b & 15), 1);
  }
  return to;
}

function letter(d: u32): u8 {
  return <u8>(d < 10 ? 0x30 + d : 0x57 + d);
}
