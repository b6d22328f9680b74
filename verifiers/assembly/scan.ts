// Where values begin and end. A body is strict JSON by the time it gets here (protocol 3.3), so this looks no closer than it
// has to; on anything else it ends in a trap, and that is undecided (protocol 5.5).

export const QUOTE: u8 = 0x22;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const OPEN_BRACKET: u8 = 0x5b;
export const BACKSLASH: u8 = 0x5c;
export const CLOSE_BRACKET: u8 = 0x5d;
export const OPEN_BRACE: u8 = 0x7b;
export const CLOSE_BRACE: u8 = 0x7d;

/** MAX_DEPTH is how deep arrays and objects nest at most (protocol 3.3). */
export const MAX_DEPTH: i32 = 64;

const ONES: u64 = 0x0101010101010101;

/** marks gives a number other than 0 where a quote or a backslash is among eight characters; the lowest bit of it is exact. */
// @ts-ignore: decorator
@inline
export function marks(x: u64): u64 {
  const q = x ^ 0x2222222222222222;
  const b = x ^ 0x5c5c5c5c5c5c5c5c;
  return (((q - ONES) & ~q) | ((b - ONES) & ~b)) & 0x8080808080808080;
}

/** skipSpace gives the place of the first character that is not white space. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  while (load<u8>(at) <= 0x20) at++;
  return at;
}

/** skipString gives the place behind the string that begins here, with its quote. */
export function skipString(at: usize): usize {
  const end = (<usize>memory.size()) << 16;
  at++;
  while (true) {
    if (at + 8 <= end) {
      const found = marks(load<u64>(at));
      if (found == 0) {
        at += 8;
        continue;
      }
      at += <usize>(ctz(found) >> 3);
    }
    const c = load<u8>(at++);
    if (c == QUOTE) return at;
    if (c == BACKSLASH) at++;
  }
}

/** skipValue gives the place behind the value that begins here. */
export function skipValue(at: usize): usize {
  const first = load<u8>(at);
  if (first == QUOTE) return skipString(at);
  if ((first | 0x20) != OPEN_BRACE) return skipWord(at);
  let depth = 0;
  while (true) {
    const c = load<u8>(at);
    if (c == QUOTE) {
      at = skipString(at);
      continue;
    }
    at++;
    if ((c | 0x20) == OPEN_BRACE) depth++;
    else if ((c | 0x20) == CLOSE_BRACE && --depth == 0) return at;
  }
}

/** skipWord gives the place behind a number, true, false or null. */
function skipWord(at: usize): usize {
  while (true) {
    const c = load<u8>(at);
    if (c <= 0x20 || c == COMMA || (c | 0x20) == CLOSE_BRACE) return at;
    at++;
  }
}

/** skipColon gives the place of the value that belongs to the name which ends here. */
// @ts-ignore: decorator
@inline
export function skipColon(at: usize): usize {
  return skipSpace(skipSpace(at) + 1);
}
