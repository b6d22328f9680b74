import { Keccak256 } from "../../../verifiers/assembly/keccak";
import { RLP, writeListHead } from "./rlp";

/** TOPIC is the size of a topic in bytes, HASH that of an envelope's hash. */
export const TOPIC: usize = 4;
export const HASH: usize = 32;

/** Envelope is one of EIP-627, taken apart. It is a view of its bytes. */
export class Envelope {
  expiry: u64 = 0;
  ttl: u64 = 0;
  /** The place of the topic. */
  topic: usize = 0;
  data: usize = 0;
  dataLength: usize = 0;
  nonce: u64 = 0;
  private items: usize = 0; // where the first of the five begins
  private last: usize = 0; // where the nonce begins

  private constructor(
    private readonly at: usize,
    private readonly end: usize,
  ) {}

  /** read takes the bytes from one place up to another apart; null where they are no envelope in strict RLP. */
  static read(at: usize, end: usize): Envelope | null {
    const r = new RLP(at, end);
    const e = new Envelope(at, end);
    r.list();
    e.items = r.at;
    e.expiry = r.number(4);
    e.ttl = r.number(4);
    e.topic = r.text();
    if (r.length != TOPIC) r.bad = true;
    e.data = r.text();
    e.dataLength = r.length;
    e.last = r.at;
    e.nonce = r.number(8);
    return r.bad || r.at != end ? null : e;
  }

  /** size is how many bytes the proof of work is for: those of all of it, or for geth those of its first four items as a list. */
  size(geth: bool): usize {
    return geth ? writeListHead(this.last - this.items, head) - head + this.last - this.items : this.end - this.at;
  }

  /** hash lays the envelope's hash down. */
  hash(to: usize): void {
    keccak.reset();
    keccak.write(this.at, this.end);
    memory.copy(to, keccak.sum(), HASH);
  }

  /** bits are how many zero bits the hash begins with that the proof of work is about. */
  bits(): i32 {
    keccak.reset();
    keccak.write(head, writeListHead(this.last - this.items, head));
    keccak.write(this.items, this.last);
    store<u64>(head, bswap(this.nonce));
    keccak.write(head, head + 8);
    return zeros(keccak.sum());
  }
}

// @ts-ignore: decorator
@lazy
const keccak = new Keccak256();

/** head is room for what is hashed beside the envelope's own bytes. */
const head = memory.data(8);

/** zeros counts the zero bits that 32 bytes begin with. */
function zeros(at: usize): i32 {
  for (let i = 0; i < 32; i += 8) {
    const x = bswap(load<u64>(at + i));
    if (x != 0) return 8 * i + <i32>clz(x);
  }
  return 256;
}
