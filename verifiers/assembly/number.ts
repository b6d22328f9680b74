/**
 * Decimal is a JSON number taken apart: ±digits × 10^exponent, exactly as written. The digits stay where they are, from the
 * first that is not 0 to the last that is not 0; a point may be among them.
 */
export class Decimal {
  private at: usize = 0;
  /** The place behind the number. */
  end: usize = 0;
  negative: bool = false;
  first: usize = 0;
  last: usize = 0;
  /** How many digits there are; none makes the number 0. */
  count: i32 = 0;
  exponent: i64 = 0;
  /** The exponent is written with more than 18 digits. Such a number equals only what is written the same. */
  wild: bool = false;

  /** read takes the number apart that begins here. */
  read(at: usize): void {
    this.at = at;
    let p = at;
    this.negative = load<u8>(p) == 0x2d;
    if (this.negative) p++;
    let first: usize = 0;
    let last: usize = 0;
    let point: usize = 0;
    for (; ; p++) {
      const c: u32 = load<u8>(p);
      if (c - 0x31 <= 8) {
        if (first == 0) first = p;
        last = p;
      } else if (c == 0x2e) {
        point = p;
      } else if (c != 0x30) {
        break;
      }
    }
    this.first = first;
    this.last = last;
    if (first == 0) {
      this.count = 0;
      this.exponent = 0;
    } else {
      this.count = <i32>(last - first) + (first < point && point < last ? 0 : 1);
      this.exponent = point == 0 ? <i64>(p - last) - 1 : last < point ? <i64>(point - last) - 1 : -<i64>(last - point);
    }
    this.readExponent(p);
  }

  private readExponent(p: usize): void {
    this.wild = false;
    this.end = p;
    if ((load<u8>(p) | 0x20) != 0x65) return;
    const sign = load<u8>(++p);
    if (sign == 0x2b || sign == 0x2d) p++;
    while (load<u8>(p) == 0x30) p++;
    let n: i64 = 0;
    let length = 0;
    for (; ; p++, length++) {
      const c: u32 = <u32>load<u8>(p) - 0x30;
      if (c > 9) break;
      if (length < 18) n = n * 10 + c;
    }
    this.end = p;
    if (this.count == 0) return;
    this.wild = length > 18;
    this.exponent += sign == 0x2d ? -n : n;
  }

  /** equals says whether both have the same value, exactly. */
  equals(other: Decimal): bool {
    if (this.count != other.count) return false;
    if (this.count == 0) return true;
    if (this.wild || other.wild) return this.written(other);
    if (this.negative != other.negative || this.exponent != other.exponent) return false;
    let p = this.first;
    let q = other.first;
    for (let i = this.count; i > 0; i--, p++, q++) {
      if (load<u8>(p) == 0x2e) p++;
      if (load<u8>(q) == 0x2e) q++;
      if (load<u8>(p) != load<u8>(q)) return false;
    }
    return true;
  }

  private written(other: Decimal): bool {
    if (this.end - this.at != other.end - other.at) return false;
    return memory.compare(this.at, other.at, this.end - this.at) == 0;
  }

  /** spell writes the digits without their point, and gives the place behind them. */
  spell(to: usize): usize {
    for (let p = this.first; p <= this.last && p != 0; p++) {
      const c = load<u8>(p);
      if (c != 0x2e) store<u8>(to++, c);
    }
    return to;
  }

  /** toNumber is the nearest f64, or the one beside it: right up to 15 digits and small exponents, else within one unit in the
   * last place. What is too large is infinite. */
  toNumber(): f64 {
    let digits: u64 = 0;
    let taken = 0;
    for (let p = this.first; taken < this.count && taken < 19; p++) {
      const c: u64 = load<u8>(p);
      if (c == 0x2e) continue;
      digits = digits * 10 + (c - 0x30);
      taken++;
    }
    const x = taken == 0 ? 0 : scale(digits, this.exponent + (this.count - taken));
    return this.negative ? -x : x;
  }
}

/** scale is digits × 10^exponent. */
function scale(digits: u64, exponent: i64): f64 {
  if (exponent > 310) return Infinity;
  if (exponent < -345) return 0;
  const down = exponent < 0;
  let n = <i32>(down ? -exponent : exponent);
  if (digits >> 53 == 0 && n <= 22) {
    let power: f64 = 1; // exact up to 10^22
    for (; n > 0; n--) power *= 10;
    return down ? <f64>digits / power : <f64>digits * power;
  }
  const zeros = <i32>clz(digits);
  upper = digits << zeros;
  weight = -zeros;
  for (let i = down ? 9 : 0; n > 0; n >>= 1, i++) {
    if (n & 1) multiply(unchecked(POWERS[i]), unchecked(WEIGHTS[i]));
  }
  return round();
}

// 10^1, 10^2, 10^4 up to 10^256, then 10^-1 to 10^-256, each as 64 bits, the first of which is 1, × 2^weight.
// @ts-ignore: decorator
@lazy
const POWERS: StaticArray<u64> = [
  0xa000000000000000, 0xc800000000000000, 0x9c40000000000000, 0xbebc200000000000, 0x8e1bc9bf04000000, 0x9dc5ada82b70b59e,
  0xc2781f49ffcfa6d5, 0x93ba47c980e98ce0, 0xaa7eebfb9df9de8e, 0xcccccccccccccccd, 0xa3d70a3d70a3d70a, 0xd1b71758e219652c,
  0xabcc77118461cefd, 0xe69594bec44de15b, 0xcfb11ead453994ba, 0xa87fea27a539e9a5, 0xddd0467c64bce4a1, 0xc0314325637a193a,
];
// @ts-ignore: decorator
@lazy
const WEIGHTS: StaticArray<i16> = [
  -60, -57, -50, -37, -10, 43, 149, 362, 787, -67, -70, -77, -90, -117, -170, -276, -489, -914,
];

// The number at hand is upper × 2^weight, and the first bit of upper is 1.
// @ts-ignore: decorator
@lazy
let upper: u64 = 0;
// @ts-ignore: decorator
@lazy
let weight: i32 = 0;

function multiply(power: u64, by: i32): void {
  const a = upper >> 32;
  const b = upper & 0xffffffff;
  const c = power >> 32;
  const d = power & 0xffffffff;
  const cross = a * d + ((b * d) >> 32);
  const low = b * c + (cross & 0xffffffff);
  upper = a * c + (cross >> 32) + (low >> 32);
  weight += by + 64;
  if (upper >> 63 == 0) {
    upper = (upper << 1) | ((low >> 31) & 1);
    weight--;
  }
}

function round(): f64 {
  const exponent = weight + 63;
  if (exponent > 1023) return Infinity;
  const shift = exponent >= -1022 ? 11 : 11 - 1022 - exponent;
  if (shift > 63) return 0;
  const rest = upper & ((<u64>1 << shift) - 1);
  const half = <u64>1 << (shift - 1);
  let bits = upper >> shift;
  if (rest > half || (rest == half && bits & 1)) bits++;
  if (exponent >= -1022) bits += <u64>(exponent + 1022) << 52;
  return reinterpret<f64>(bits);
}
