import { skipString } from "../assembly/scan";
import { decodeText } from "../assembly/text";

const MOST: usize = 64; // bytes

/** room is where a nonce is laid down. */
const room = memory.data(64);

/** readNonce reads the bytes that a string writes in lower-case hex, and gives their place; 0 where it is no hex, or stands for
 * no bytes or more than 64. How many they are is left in nonceLength. */
export function readNonce(at: usize): usize {
  const longest: usize = 6 * 2 * MOST + 2; // every digit escaped
  if (skipString(at) - at > longest) return 0;
  const text = heap.alloc(longest);
  const end = decodeText(at, text);
  const n = end - text;
  if (n == 0 || n > 2 * MOST || n & 1) return 0;
  for (let i: usize = 0; i < n; i += 2) {
    const high = digit(load<u8>(text + i));
    const low = digit(load<u8>(text + i + 1));
    if (high < 0 || low < 0) return 0;
    store<u8>(room + (i >> 1), (high << 4) | low);
  }
  nonceLength = n >> 1;
  return room;
}

/** nonceLength is how many bytes readNonce found. */
export let nonceLength: usize = 0;

function digit(c: u32): i32 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  if (c >= 0x61 && c <= 0x66) return c - 0x57;
  return -1;
}
