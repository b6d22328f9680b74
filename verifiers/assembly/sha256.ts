/** Sha256 is the hash of FIPS 180-4. Write what is to be hashed, piece by piece; then ask for the sum, once. */
export class Sha256 {
  private readonly state: usize = heap.alloc(32); // eight words
  private readonly block: usize = heap.alloc(64);
  private length: u64 = 0;

  constructor() {
    for (let i = 0; i < 8; i++) store<u32>(this.state + 4 * i, unchecked(START[i]));
  }

  /** reset forgets all that was written; then the sum may be asked for anew. */
  reset(): void {
    this.length = 0;
    memory.copy(this.state, changetype<usize>(START), 32);
  }

  /** clone is a hash of the same bytes, that goes its own way from here. */
  clone(): Sha256 {
    const other = new Sha256();
    memory.copy(other.state, this.state, 32);
    memory.copy(other.block, this.block, 64);
    other.length = this.length;
    return other;
  }

  /** write adds the bytes from one place up to another. */
  write(from: usize, end: usize): void {
    const have = <usize>this.length & 63;
    this.length += <u64>(end - from);
    if (have > 0) {
      const take = min<usize>(64 - have, end - from);
      memory.copy(this.block + have, from, take);
      if (have + take < 64) return;
      compress(this.state, this.block);
      from += take;
    }
    for (; from + 64 <= end; from += 64) compress(this.state, from);
    memory.copy(this.block, from, end - from);
  }

  /** sum is the place of the 32 bytes that are the hash of all that was written. */
  sum(): usize {
    const bits = this.length << 3;
    const have = <usize>this.length & 63;
    store<u8>(this.block + have, 0x80);
    memory.fill(this.block + have + 1, 0, 63 - have);
    if (have >= 56) {
      compress(this.state, this.block);
      memory.fill(this.block, 0, 56);
    }
    store<u64>(this.block + 56, bswap(bits));
    compress(this.state, this.block);
    for (let i = 0; i < 8; i++) store<u32>(this.state + 4 * i, bswap(load<u32>(this.state + 4 * i)));
    return this.state;
  }
}

// @ts-ignore: decorator
@lazy
const START: StaticArray<u32> = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

// @ts-ignore: decorator
@lazy
const ROUND: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

// @ts-ignore: decorator
@lazy
const words = new StaticArray<u32>(64);

function compress(state: usize, block: usize): void {
  for (let i = 0; i < 16; i++) unchecked((words[i] = bswap(load<u32>(block + 4 * i))));
  for (let i = 16; i < 64; i++) {
    const x = unchecked(words[i - 15]);
    const y = unchecked(words[i - 2]);
    const s = rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
    const t = rotr(y, 17) ^ rotr(y, 19) ^ (y >> 10);
    unchecked((words[i] = words[i - 16] + s + words[i - 7] + t));
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i = 0; i < 64; i++) {
    const mix = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const one = h + mix + ((e & f) ^ (~e & g)) + unchecked(ROUND[i]) + unchecked(words[i]);
    const two = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + one;
    d = c;
    c = b;
    b = a;
    a = one + two;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
