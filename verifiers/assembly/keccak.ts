const RATE: usize = 136; // bytes that are taken in before the state is mixed

/** Keccak256 is the hash that Ethereum uses: Keccak as it was handed in, padded otherwise than the SHA3-256 of FIPS 202. Write what
 * is to be hashed, piece by piece; then ask for the sum, once. */
export class Keccak256 {
  private readonly state: usize = heap.alloc(200); // 25 lanes, row by row
  private have: usize = 0;

  constructor() {
    this.reset();
  }

  /** reset forgets all that was written; then the sum may be asked for anew. */
  reset(): void {
    memory.fill(this.state, 0, 200);
    this.have = 0;
  }

  /** write adds the bytes from one place up to another. */
  write(from: usize, end: usize): void {
    let have = this.have;
    for (; from < end && (have & 7) != 0; from++) have = this.byte(have, load<u8>(from));
    for (; from + 8 <= end; from += 8) {
      const lane = this.state + have;
      store<u64>(lane, load<u64>(lane) ^ load<u64>(from));
      have = this.full(have + 8);
    }
    for (; from < end; from++) have = this.byte(have, load<u8>(from));
    this.have = have;
  }

  private byte(have: usize, b: u8): usize {
    const at = this.state + have;
    store<u8>(at, load<u8>(at) ^ b);
    return this.full(have + 1);
  }

  private full(have: usize): usize {
    if (have < RATE) return have;
    mix(this.state);
    return 0;
  }

  /** sum is the place of the 32 bytes that are the hash of all that was written. */
  sum(): usize {
    const last = this.state + RATE - 1;
    const at = this.state + this.have;
    store<u8>(at, load<u8>(at) ^ 0x01);
    store<u8>(last, load<u8>(last) ^ 0x80);
    mix(this.state);
    return this.state;
  }
}

// @ts-ignore: decorator
@lazy
const ROUND: StaticArray<u64> = [
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
  0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
  0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
];

/** mix is the permutation keccak-f of 1,600 bits. A round is written out for each lane: a verdict on much mail does little else. */
function mix(s: usize): void {
  for (let round = 0; round < 24; round++) {
    const c0 = load<u64>(s) ^ load<u64>(s, 40) ^ load<u64>(s, 80) ^ load<u64>(s, 120) ^ load<u64>(s, 160);
    const c1 = load<u64>(s, 8) ^ load<u64>(s, 48) ^ load<u64>(s, 88) ^ load<u64>(s, 128) ^ load<u64>(s, 168);
    const c2 = load<u64>(s, 16) ^ load<u64>(s, 56) ^ load<u64>(s, 96) ^ load<u64>(s, 136) ^ load<u64>(s, 176);
    const c3 = load<u64>(s, 24) ^ load<u64>(s, 64) ^ load<u64>(s, 104) ^ load<u64>(s, 144) ^ load<u64>(s, 184);
    const c4 = load<u64>(s, 32) ^ load<u64>(s, 72) ^ load<u64>(s, 112) ^ load<u64>(s, 152) ^ load<u64>(s, 192);
    const d0 = c4 ^ rotl(c1, 1);
    const d1 = c0 ^ rotl(c2, 1);
    const d2 = c1 ^ rotl(c3, 1);
    const d3 = c2 ^ rotl(c4, 1);
    const d4 = c3 ^ rotl(c0, 1);
    const b0 = load<u64>(s) ^ d0;
    const b1 = rotl(load<u64>(s, 48) ^ d1, 44);
    const b2 = rotl(load<u64>(s, 96) ^ d2, 43);
    const b3 = rotl(load<u64>(s, 144) ^ d3, 21);
    const b4 = rotl(load<u64>(s, 192) ^ d4, 14);
    const b5 = rotl(load<u64>(s, 24) ^ d3, 28);
    const b6 = rotl(load<u64>(s, 72) ^ d4, 20);
    const b7 = rotl(load<u64>(s, 80) ^ d0, 3);
    const b8 = rotl(load<u64>(s, 128) ^ d1, 45);
    const b9 = rotl(load<u64>(s, 176) ^ d2, 61);
    const b10 = rotl(load<u64>(s, 8) ^ d1, 1);
    const b11 = rotl(load<u64>(s, 56) ^ d2, 6);
    const b12 = rotl(load<u64>(s, 104) ^ d3, 25);
    const b13 = rotl(load<u64>(s, 152) ^ d4, 8);
    const b14 = rotl(load<u64>(s, 160) ^ d0, 18);
    const b15 = rotl(load<u64>(s, 32) ^ d4, 27);
    const b16 = rotl(load<u64>(s, 40) ^ d0, 36);
    const b17 = rotl(load<u64>(s, 88) ^ d1, 10);
    const b18 = rotl(load<u64>(s, 136) ^ d2, 15);
    const b19 = rotl(load<u64>(s, 184) ^ d3, 56);
    const b20 = rotl(load<u64>(s, 16) ^ d2, 62);
    const b21 = rotl(load<u64>(s, 64) ^ d3, 55);
    const b22 = rotl(load<u64>(s, 112) ^ d4, 39);
    const b23 = rotl(load<u64>(s, 120) ^ d0, 41);
    const b24 = rotl(load<u64>(s, 168) ^ d1, 2);
    store<u64>(s, b0 ^ (~b1 & b2) ^ unchecked(ROUND[round]));
    store<u64>(s, b1 ^ (~b2 & b3), 8);
    store<u64>(s, b2 ^ (~b3 & b4), 16);
    store<u64>(s, b3 ^ (~b4 & b0), 24);
    store<u64>(s, b4 ^ (~b0 & b1), 32);
    store<u64>(s, b5 ^ (~b6 & b7), 40);
    store<u64>(s, b6 ^ (~b7 & b8), 48);
    store<u64>(s, b7 ^ (~b8 & b9), 56);
    store<u64>(s, b8 ^ (~b9 & b5), 64);
    store<u64>(s, b9 ^ (~b5 & b6), 72);
    store<u64>(s, b10 ^ (~b11 & b12), 80);
    store<u64>(s, b11 ^ (~b12 & b13), 88);
    store<u64>(s, b12 ^ (~b13 & b14), 96);
    store<u64>(s, b13 ^ (~b14 & b10), 104);
    store<u64>(s, b14 ^ (~b10 & b11), 112);
    store<u64>(s, b15 ^ (~b16 & b17), 120);
    store<u64>(s, b16 ^ (~b17 & b18), 128);
    store<u64>(s, b17 ^ (~b18 & b19), 136);
    store<u64>(s, b18 ^ (~b19 & b15), 144);
    store<u64>(s, b19 ^ (~b15 & b16), 152);
    store<u64>(s, b20 ^ (~b21 & b22), 160);
    store<u64>(s, b21 ^ (~b22 & b23), 168);
    store<u64>(s, b22 ^ (~b23 & b24), 176);
    store<u64>(s, b23 ^ (~b24 & b20), 184);
    store<u64>(s, b24 ^ (~b20 & b21), 192);
  }
}
