import { Bytes } from "./bytes";

/**
 * Reader goes through bytes that say themselves how long their parts are. What is not there is read as zeros, and bad says so
 * from then on: it is enough to ask at the end.
 */
export class Reader {
  at: usize;
  readonly end: usize;
  bad: bool = false;

  constructor(bytes: Bytes) {
    this.at = bytes.at;
    this.end = bytes.at + <usize>bytes.length;
  }

  /** take passes so many bytes and gives their place; 0 where there are not as many. */
  take(length: i64): usize {
    if (this.bad || length < 0 || length > <i64>(this.end - this.at)) {
      this.bad = true;
      return 0;
    }
    const at = this.at;
    this.at += <usize>length;
    return at;
  }

  /** byte passes one byte. */
  byte(): u32 {
    const at = this.take(1);
    return at ? load<u8>(at) : 0;
  }

  /** uvarint passes a number below 2^32: seven bits a byte, the lowest first, in as few bytes as can be. */
  uvarint(): i64 {
    let n: i64 = 0;
    for (let shift: i64 = 0; shift < 35; shift += 7) {
      const c = <i64>this.byte();
      n |= (c & 0x7f) << shift;
      if (c >= 0x80) continue;
      if ((c == 0 && shift > 0) || n >> 32 != 0) this.bad = true;
      return this.bad ? 0 : n;
    }
    this.bad = true;
    return 0;
  }

  /** sized passes bytes with their number before them. */
  sized(): Bytes {
    const length = this.uvarint();
    const at = this.take(length);
    return new Bytes(at, at ? <i32>length : 0);
  }
}
