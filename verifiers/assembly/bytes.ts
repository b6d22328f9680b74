/** Bytes is a view of some bytes of the input. It copies nothing; the input stays where it is as long as the instance lives. */
export class Bytes {
  constructor(readonly at: usize, readonly length: i32) {}

  /** equals says whether both are the same bytes. */
  equals(other: Bytes): bool {
    if (this.length != other.length) return false;
    let a = this.at;
    let b = other.at;
    const end = a + <usize>this.length;
    for (; a + 8 <= end; a += 8, b += 8) {
      if (load<u64>(a) != load<u64>(b)) return false;
    }
    for (; a < end; a++, b++) {
      if (load<u8>(a) != load<u8>(b)) return false;
    }
    return true;
  }
}
