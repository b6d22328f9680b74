import { Bytes } from "../../../verifiers/assembly/bytes";

/**
 * Strict goes through a result that is written as the service writes it, and no otherwise. What is not there is read as nothing, and
 * bad says so from then on: it is enough to ask before what was read is used.
 */
export class Strict {
  private at: usize;
  private readonly end: usize;
  bad: bool = false;

  constructor(bytes: Bytes) {
    this.at = bytes.at;
    this.end = bytes.at + <usize>bytes.length;
  }

  /** next says whether these characters come next, and passes them if so. */
  next(s: string): bool {
    if (this.bad || this.end - this.at < <usize>s.length) return false;
    for (let i = 0; i < s.length; i++) {
      if (load<u8>(this.at + i) != <u8>s.charCodeAt(i)) return false;
    }
    this.at += <usize>s.length;
    return true;
  }

  /** pass passes these characters. */
  pass(s: string): void {
    if (!this.next(s)) this.bad = true;
  }

  /** hex passes a string of 0x and lower-case hex, lays its bytes down and gives the place behind them. There must be room for half
   * as many bytes as the result has. */
  hex(to: usize): usize {
    this.pass('"0x');
    while (!this.bad && !this.next('"')) {
      const pair = this.end - this.at < 2 ? -1 : (digit(load<u8>(this.at)) << 4) | digit(load<u8>(this.at, 1));
      this.bad = pair < 0;
      if (this.bad) break;
      store<u8>(to++, <u8>pair);
      this.at += 2;
    }
    return to;
  }

  /** exactly passes a string like hex, and says whether it has so many bytes; it writes no more. */
  exactly(to: usize, length: usize): bool {
    const quoted = (length << 1) + 4;
    if (this.end - this.at < quoted || load<u8>(this.at + quoted - 1) != 0x22) this.bad = true;
    return !this.bad && this.hex(to) == to + length && !this.bad;
  }

  /** number passes a number without sign, fraction or exponent, below 2^64. */
  number(): u64 {
    const start = this.at;
    let n: u64 = 0;
    for (; this.at < this.end; this.at++) {
      const c = <u64>load<u8>(this.at) - 0x30;
      if (c > 9) break;
      if (n > (u64.MAX_VALUE - c) / 10) this.bad = true;
      n = n * 10 + c;
    }
    const digits = this.at - start;
    if (digits == 0 || (digits > 1 && load<u8>(start) == 0x30)) this.bad = true;
    return this.bad ? 0 : n;
  }

  /** done says whether all was there, and nothing follows. */
  done(): bool {
    return !this.bad && this.at == this.end;
  }
}

function digit(c: u32): i32 {
  if (c - 0x30 <= 9) return c - 0x30;
  return c - 0x61 <= 5 ? c - 0x57 : -1;
}
