import { skipString } from "../../../verifiers/assembly/scan";
import { decodeText } from "../../../verifiers/assembly/text";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { readWhole, whole } from "./number";

const DIGITS = 9; // before the point, and behind it

/** Target is a proof of work that is wanted, as a fraction. */
export class Target {
  private constructor(
    private readonly numerator: u64,
    private readonly denominator: u64,
  ) {}

  /** read reads an integer of up to nine digits, or a string of as many with perhaps a point and as many more; null is what else. */
  static read(v: Value): Target | null {
    if (v.kind == Kind.Number) return readWhole(v, 999_999_999) ? new Target(whole, 1) : null;
    if (v.kind != Kind.String || skipString(v.at) - v.at > 6 * (2 * DIGITS + 1) + 2) return null;
    const text = heap.alloc(skipString(v.at) - v.at);
    return Target.decimal(text, decodeText(v.at, text));
  }

  private static decimal(at: usize, end: usize): Target | null {
    let numerator: u64 = 0;
    let denominator: u64 = 1;
    let before = 0;
    let behind = 0;
    for (; at < end && isDigit(at); at++, before++) numerator = numerator * 10 + (load<u8>(at) - 0x30);
    if (at < end && load<u8>(at) == 0x2e) {
      for (at++; at < end && isDigit(at); at++, behind++) {
        numerator = numerator * 10 + (load<u8>(at) - 0x30);
        denominator *= 10;
      }
      if (behind == 0) return null;
    }
    if (at != end || before == 0 || before > DIGITS || behind > DIGITS) return null;
    return new Target(numerator, denominator);
  }

  /** bits are how many bits have to be zero for an envelope of that size that lives so long: the least number such that
   * 2^bits / (size · ttl) reaches the target. Size is below 2^21, ttl below 2^33. */
  bits(size: u64, ttl: u64): i32 {
    const a = size * ttl;
    const low = (a & 0xffffffff) * (this.numerator & 0xffffffff);
    const middle = (a >> 32) * (this.numerator & 0xffffffff) + (low >> 32);
    const cross = (a & 0xffffffff) * (this.numerator >> 32) + (middle & 0xffffffff);
    const upper = (a >> 32) * (this.numerator >> 32) + (middle >> 32) + (cross >> 32);
    const lower = (cross << 32) | (low & 0xffffffff);
    let bits = 0;
    let high: u64 = 0;
    for (let n = this.denominator; high < upper || (high == upper && n < lower); bits++) {
      high = (high << 1) | (n >> 63);
      n <<= 1;
    }
    return bits;
  }
}

function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - 0x30 <= 9;
}
