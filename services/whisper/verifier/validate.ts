import { hexLength, readHex } from "../../../verifiers/assembly/hex";
import { skipString } from "../../../verifiers/assembly/scan";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { Envelope, HASH, TOPIC } from "./envelope";
import { Fields, isGeth, isProfile } from "./fields";
import { readU32, whole } from "./number";
import { Output } from "./output";
import { ErrorCode, Known, Question, Refused, failureAt } from "./question";
import { Target } from "./target";

const MOST = 1000; // envelopes
const MOST_BYTES: usize = 1 << 20; // of all of them
const ROOM = 400; // bytes, more than are said of one

const NAMES = ["profile", "envelopes", "now", "minPow", "maxSize", "syncAllowance"];

/** validate is the question what is wrong with envelopes. */
export function validate(params: Value | null): Question {
  const asked = new Validation();
  if (!asked.read(Fields.params(params, NAMES, 3))) return new Refused(ErrorCode.Params);
  return asked.answer();
}

class Validation {
  private geth: bool = false;
  private now: u64 = 0;
  private target: Target | null = null;
  private mostSize: u64 = u64.MAX_VALUE;
  private allowance: u64 = 10;
  private readonly ends: usize[] = []; // of the envelopes, which stand one behind the other
  private start: usize = 0;

  /** read takes the params, and is false where they are invalid. */
  read(f: Fields | null): bool {
    if (!f || !isProfile(f.must(0)) || !this.readEnvelopes(f.must(1)) || !readU32(f.must(2))) return false;
    this.geth = isGeth(f.must(0));
    this.now = whole;
    return this.readLimits(f.get(3), f.get(4), f.get(5));
  }

  private readEnvelopes(list: Value): bool {
    if (list.kind != Kind.Array) return false;
    let to = (this.start = heap.alloc(MOST_BYTES));
    for (const e = list.entries(); e.next(); ) {
      if (this.ends.length == MOST || e.value.kind != Kind.String) return false;
      const end = readBytes(e.value.at, to, this.start + MOST_BYTES);
      if (end == 0) return false;
      this.ends.push((to = end));
    }
    return true;
  }

  private readLimits(minPow: Value | null, mostSize: Value | null, allowance: Value | null): bool {
    if (minPow) {
      this.target = Target.read(minPow);
      if (!this.target) return false;
    }
    if (mostSize) {
      if (!readU32(mostSize)) return false;
      this.mostSize = whole;
    }
    if (allowance) {
      if (!readU32(allowance)) return false;
      this.allowance = whole;
    }
    return true;
  }

  /** answer is what has to be said, or the error for the first that is no envelope. */
  answer(): Question {
    const out = new Output(ROOM * (this.ends.length + 1));
    out.ascii("[");
    let at = this.start;
    for (let i = 0; i < this.ends.length; i++) {
      const envelope = Envelope.read(at, this.ends[i]);
      if (!envelope) return failureAt(ErrorCode.BadRLP, "bad_rlp", i);
      if (i > 0) out.ascii(",");
      this.describe(out, envelope);
      at = this.ends[i];
    }
    return new Known(false, out.ascii("]"));
  }

  private describe(out: Output, e: Envelope): void {
    const bits = e.bits();
    const reasons = this.reasons(e, bits);
    e.hash(hash);
    out.ascii('{"hash":').hex(hash, HASH).ascii(',"ok":').truth(reasons.length == 0).ascii(',"reasons":[');
    for (let i = 0; i < reasons.length; i++) out.ascii(i == 0 ? '"' : ',"').ascii(reasons[i]).ascii('"');
    out.ascii('],"bits":').number(bits).ascii(',"size":').number(e.size(this.geth)).ascii(',"ttl":').number(e.ttl);
    out.ascii(',"topic":').hex(e.topic, TOPIC).ascii(',"expired":').truth(e.expiry < this.now).ascii("}");
  }

  /** reasons are all that there is against an envelope. */
  private reasons(e: Envelope, bits: i32): string[] {
    const found: string[] = [];
    if (e.ttl == 0) found.push("ttl_zero");
    if (e.expiry < e.ttl) found.push("expiry_before_ttl");
    if (this.sent(e) > <i64>(this.now + this.allowance)) found.push("from_future");
    if (e.expiry < this.now) found.push("expired");
    if (e.expiry + 2 * this.allowance < this.now) found.push("very_old");
    if (this.weight(e) > this.mostSize) found.push("too_large");
    const target = this.target;
    if (target && bits < target.bits(e.size(this.geth), this.life(e))) found.push("low_pow");
    return found;
  }

  private sent(e: Envelope): i64 {
    return <i64>e.expiry - <i64>e.ttl;
  }

  /** weight is what maxSize is about. */
  private weight(e: Envelope): u64 {
    return this.geth ? 20 + e.dataLength : e.size(false);
  }

  /** life is the time that the proof of work is for: geth adds what an envelope is ahead of the clock. */
  private life(e: Envelope): u64 {
    return this.geth && this.sent(e) > <i64>this.now ? e.expiry - this.now + 1 : e.ttl;
  }
}

const hash = memory.data(32);

/** readBytes lays down what a string has in hex, and gives the place behind; 0 where it is none, or there is no room for it. */
function readBytes(string: usize, to: usize, end: usize): usize {
  const length = skipString(string) - string;
  if (length <= 2 * (end - to) + 4) return readHex(string, to); // the longest there is room for, without escapes
  const room = heap.alloc(length);
  if (readHex(string, room) == 0 || hexLength > end - to) return 0;
  memory.copy(to, room, hexLength);
  return to + hexLength;
}
