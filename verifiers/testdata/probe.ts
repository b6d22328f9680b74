// probe shows what a verdict does not: all bytes of a hash, all bits of a number, a value as the reader sees it. The input is a
// letter and what it is of.
import { Bytes, Decimal, Kind, RPCRequest, Sha256, Value, Verdict, method, params } from "../assembly";
import { base64 } from "../assembly/base64";
import { hexLength, readHex, writeHex } from "../assembly/hex";
import { Keccak256 } from "../assembly/keccak";
import { HASH, Hashes, LeafHash, rootOf } from "../assembly/merkle";
import { Reader } from "../assembly/reader";
import { Writer } from "../assembly/writer";

export { alloc, verifier_abi_1 } from "../assembly/abi";

export function minRequests(): i32 {
  return 1;
}

export function verify(at: usize, length: i32): u64 {
  const what = load<u8>(at);
  const body = new Bytes(at + 1, length - 1);
  if (what == 0x73) return (<u64>hash(body.at, body.at + <usize>body.length) << 32) | 32; // s
  if (what == 0x6b) return (<u64>keccak(body.at, body.at + <usize>body.length) << 32) | 32; // k
  if (what == 0x78) return unhex(body.at); // x
  const w = new Writer(65536);
  if (what == 0x6a) { // j
    show(w, Value.of(body));
    return w.place();
  }
  if (what == 0x72) { // r
    const request = new RPCRequest(body);
    const p = params(request);
    w.ascii(method(request));
    if (p) show(w, p);
    return w.place();
  }
  if (what == 0x62) return given(base64(Value.of(body))); // b
  if (what == 0x6d) return given(merkle(new Reader(body))); // m
  if (what == 0x75) return given(numbers(new Reader(body))); // u
  if (what == 0x77) return Verdict.needing(2, String.UTF8.decodeUnsafe(body.at, body.length)).write(); // w
  const number = new Decimal();
  number.read(body.at);
  const room = heap.alloc(8);
  store<f64>(room, number.toNumber());
  return (<u64>room << 32) | 8;
}

/** given are the bytes behind a 1, or a 0 where there are none. */
function given(bytes: Bytes | null): u64 {
  const room = heap.alloc(bytes ? <usize>bytes.length + 1 : 1);
  store<u8>(room, bytes ? 1 : 0);
  if (!bytes) return (<u64>room << 32) | 1;
  memory.copy(room + 1, bytes.at, bytes.length);
  return (<u64>room << 32) | (<u64>bytes.length + 1);
}

/** merkle reads how many leaves a tree has and how many are shown, then the place of each with its bytes, then a proof. It gives
 * the root with what is left. */
function merkle(r: Reader): Bytes | null {
  const count = <i32>r.uvarint();
  const shown = new Hashes(<i32>r.uvarint());
  const chosen: i32[] = [];
  const leaf = new LeafHash();
  for (let i = 0; i < shown.length; i++) {
    chosen.push(<i32>r.uvarint());
    const text = r.sized();
    leaf.begin().sized(text.at, text.length).end(shown.place(i));
  }
  const to = heap.alloc(HASH + (r.end - r.at));
  if (!rootOf(count, chosen, shown, r, to)) return null;
  memory.copy(to + HASH, r.at, r.end - r.at);
  return new Bytes(to, <i32>(HASH + (r.end - r.at)));
}

/** numbers gives the numbers that stand there, eight bytes each, up to the first that is none. */
function numbers(r: Reader): Bytes | null {
  const to = heap.alloc(8 * (r.end - r.at));
  let length = 0;
  while (r.at < r.end) {
    store<i64>(to + length, r.uvarint());
    length += 8;
    if (r.bad) return null;
  }
  return new Bytes(to, length);
}

/** hash writes the first byte by itself, then a pair, then three, so that pieces begin anywhere in a block; halfway it goes on
 * with a clone. */
function hash(from: usize, end: usize): usize {
  let h = new Sha256();
  const half = from + ((end - from) >> 1);
  for (let n: usize = 1; from < end; n++) {
    const to = min(from + n, end);
    h.write(from, to);
    if (from <= half && half < to) {
      const other = h.clone();
      h.write(from, to);
      h = other;
    }
    from = to;
  }
  return h.sum();
}

/** keccak writes pieces as hash does. */
function keccak(from: usize, end: usize): usize {
  const h = new Keccak256();
  h.write(from, end);
  h.sum();
  h.reset();
  for (let n: usize = 1; from < end; n++) {
    const to = min(from + n, end);
    h.write(from, to);
    from = to;
  }
  return h.sum();
}

/** unhex writes the bytes that a string has in hex in hex again, and a question mark where it has none. */
function unhex(string: usize): u64 {
  const room = heap.alloc(65536);
  const end = readHex(string, room);
  if (end == 0) {
    store<u8>(room, 0x3f);
    return (<u64>room << 32) | 1;
  }
  const to = writeHex(room, room + hexLength, end);
  return (<u64>end << 32) | <u64>(to - end);
}

/** show writes a value: texts in hex, numbers with what they are as integers, members as they are found by name. */
function show(w: Writer, v: Value): void {
  const kind = v.kind;
  if (kind == Kind.Null) w.ascii("null");
  else if (kind == Kind.Boolean) w.ascii(v.isTrue() ? "true" : "false");
  else if (kind == Kind.Number) w.ascii(raw(v.bytes()) + "=" + v.integer(-7).toString());
  else if (kind == Kind.String) hex(w, v.text());
  else if (kind == Kind.Array) {
    w.ascii("[");
    for (let i = 0; ; i++) {
      const item = v.item(i);
      if (!item) break;
      show(w, item);
      w.ascii(",");
    }
    w.ascii("]");
  } else {
    w.ascii("{");
    const e = v.entries();
    while (e.next()) {
      hex(w, e.text());
      w.ascii(":");
      const member = v.member(e.text());
      if (member && member.at == e.value.at) show(w, member);
      w.ascii(",");
    }
    w.ascii("}");
  }
}

function raw(b: Bytes): string {
  return String.UTF8.decodeUnsafe(b.at, b.length);
}

function hex(w: Writer, s: string): void {
  const bytes = Uint8Array.wrap(String.UTF8.encode(s));
  w.ascii('"');
  for (let i = 0; i < bytes.length; i++) {
    w.ascii("0123456789abcdef".charAt(bytes[i] >> 4));
    w.ascii("0123456789abcdef".charAt(bytes[i] & 15));
  }
  w.ascii('"');
}
