import { Value } from "../../../verifiers/assembly/value";

/** whole is the number that readWhole has read. */
export let whole: u64 = 0;

/** readWhole reads a number that is written with nothing but digits, up to most, and is false where it is another value. */
export function readWhole(v: Value, most: u64): bool {
  return readDigits(v.at, most);
}

/** readU32 reads a number of 32 bits. */
export function readU32(v: Value): bool {
  return readWhole(v, <u64>u32.MAX_VALUE);
}

/** readSigned reads a number of 64 bits with a sign, written with digits and perhaps a minus; its bits are left in whole. */
export function readSigned(v: Value): bool {
  if (load<u8>(v.at) != 0x2d) return readWhole(v, <u64>i64.MAX_VALUE);
  if (!readDigits(v.at + 1, (<u64>1) << 63)) return false;
  whole = ~whole + 1;
  return true;
}

function readDigits(at: usize, most: u64): bool {
  const start = at;
  let n: u64 = 0;
  let c: u64 = 0;
  for (; ; at++) {
    c = <u64>load<u8>(at);
    if (c - 0x30 > 9) break;
    c -= 0x30;
    if (n > (u64.MAX_VALUE - c) / 10) return false;
    n = n * 10 + c;
  }
  whole = n;
  return at > start && n <= most && c != 0x2e && (c | 0x20) != 0x65;
}
