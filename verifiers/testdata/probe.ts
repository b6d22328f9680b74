// probe shows what a verdict does not: all bytes of a hash, all bits of a number, a value as the reader sees it. The input is a
// letter and what it is of.
import { Bytes, Decimal, Kind, RPCRequest, Sha256, Value, method, params } from "../assembly";
import { Writer } from "../assembly/writer";

export { alloc, verifier_abi_1 } from "../assembly/abi";

export function minRequests(): i32 {
  return 1;
}

export function verify(at: usize, length: i32): u64 {
  const what = load<u8>(at);
  const body = new Bytes(at + 1, length - 1);
  if (what == 0x73) return (<u64>hash(body.at, body.at + <usize>body.length) << 32) | 32; // s
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
  const number = new Decimal();
  number.read(body.at);
  const room = heap.alloc(8);
  store<f64>(room, number.toNumber());
  return (<u64>room << 32) | 8;
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
