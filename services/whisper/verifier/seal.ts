import { RPCResponse } from "../../../verifiers/assembly/input";
import { hexLength, readHex } from "../../../verifiers/assembly/hex";
import { error, result } from "../../../verifiers/assembly/rpc";
import { skipString } from "../../../verifiers/assembly/scan";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { Envelope, HASH, TOPIC } from "./envelope";
import { Fields, isGeth, isProfile } from "./fields";
import { readU32, readWhole, whole } from "./number";
import { ErrorCode, Finding, Question, Refused, failure, isFailure, right, unproved, wrong } from "./question";
import { Strict } from "./strict";
import { Target } from "./target";

const MOST_DATA: usize = 524288; // bytes
const MOST_TRIES: u64 = 1 << 20;
const MOST_BITS: u64 = 20;

const NAMES = ["profile", "expiry", "ttl", "topic", "data", "bits", "minPow", "nonceFrom", "nonceTo"];

/** seal is the question for an envelope with a proof of work. */
export function seal(params: Value | null): Question {
  const wanted = new Seal();
  if (!wanted.read(Fields.params(params, NAMES, 5))) return new Refused(ErrorCode.Params);
  return wanted.isTooHigh() ? failure(ErrorCode.TooHigh, "target_too_high") : wanted;
}

/**
 * Seal is an envelope that is to be made. One that is found is proved by its hash; that its nonce is the smallest is not, and any
 * other in the range is as good. That there is none cannot be proved.
 */
class Seal extends Question {
  private geth: bool = false;
  private expiry: u64 = 0;
  private ttl: u64 = 0;
  private topic: usize = 0;
  private data: usize = 0;
  private dataLength: usize = 0;
  private bits: u64 = 0;
  private target: Target | null = null;
  private from: u64 = 0;
  private to: u64 = 0;

  /** read takes the params, and is false where they are invalid. */
  read(f: Fields | null): bool {
    if (!f || !isProfile(f.must(0)) || !readU32(f.must(1))) return false;
    this.geth = isGeth(f.must(0));
    this.expiry = whole;
    if (!readU32(f.must(2))) return false;
    this.ttl = whole;
    if (this.ttl == 0 || this.expiry < this.ttl) return false;
    return this.readContent(f.must(3), f.must(4)) && this.readTarget(f.get(5), f.get(6)) && this.readRange(f.get(7), f.get(8));
  }

  private readContent(topic: Value, data: Value): bool {
    if (topic.kind != Kind.String || data.kind != Kind.String) return false;
    this.topic = heap.alloc(skipString(topic.at) - topic.at);
    if (readHex(topic.at, this.topic) == 0 || hexLength != TOPIC) return false;
    this.data = heap.alloc(skipString(data.at) - data.at);
    if (readHex(data.at, this.data) == 0) return false;
    this.dataLength = hexLength;
    return hexLength <= MOST_DATA;
  }

  private readTarget(bits: Value | null, minPow: Value | null): bool {
    if (bits && !minPow) {
      if (!readWhole(bits, u64.MAX_VALUE)) return false;
      this.bits = whole;
      return true;
    }
    if (bits || !minPow) return false;
    this.target = Target.read(minPow);
    return this.target != null;
  }

  private readRange(from: Value | null, to: Value | null): bool {
    if (from) {
      if (!readWhole(from, u64.MAX_VALUE)) return false;
      this.from = whole;
    }
    const most = this.from + (MOST_TRIES - 1);
    this.to = most < this.from ? u64.MAX_VALUE : most;
    if (to) {
      if (!readWhole(to, u64.MAX_VALUE)) return false;
      this.to = whole;
    }
    return this.to >= this.from && this.to - this.from <= MOST_TRIES;
  }

  isTooHigh(): bool {
    return this.needed(this.from) > MOST_BITS;
  }

  /** needed is how many bits have to be zero. */
  private needed(nonce: u64): u64 {
    const target = this.target;
    return target ? <u64>target.bits(this.size(nonce), this.ttl) : this.bits;
  }

  /** size is that of the envelope with that nonce. */
  private size(nonce: u64): u64 {
    const bare = numberSize(this.expiry) + numberSize(this.ttl) + 1 + TOPIC + textSize(this.data, this.dataLength);
    return listSize(this.geth ? bare : bare + numberSize(nonce));
  }

  judge(answer: RPCResponse): Finding {
    const e = error(answer);
    if (e) {
      if (!isFailure(e, ErrorCode.NotFound, "not_found_in_range")) return wrong("the request deserves no such error");
      return unproved("that no nonce will do cannot be proved");
    }
    const given = result(answer);
    return given ? this.prove(given) : wrong("no result");
  }

  private prove(given: Value): Finding {
    const bytes = given.bytes();
    const r = new Strict(bytes);
    const at = heap.alloc(bytes.length >> 1);
    r.pass('{"envelope":');
    const end = r.hex(at);
    r.pass(',"nonce":');
    const nonce = r.number();
    r.pass(',"bits":');
    const bits = r.number();
    r.pass(',"hash":');
    const hashEnd = r.hex(end);
    r.pass("}");
    const envelope = Envelope.read(at, end);
    if (!r.done() || !envelope) return wrong("it is no envelope as the service writes one");
    if (!this.isAsked(envelope)) return wrong("the envelope has other fields");
    if (nonce != envelope.nonce || nonce < this.from || nonce > this.to) return wrong("the nonce is another, or out of range");
    envelope.hash(hash);
    if (hashEnd - end != HASH || memory.compare(hash, end, HASH) != 0) return wrong("the hash is another");
    if (bits != envelope.bits()) return wrong("it has not so many zero bits");
    return bits >= this.needed(nonce) ? right() : wrong("it has too few zero bits");
  }

  private isAsked(e: Envelope): bool {
    if (e.expiry != this.expiry || e.ttl != this.ttl || e.dataLength != this.dataLength) return false;
    return memory.compare(e.topic, this.topic, TOPIC) == 0 && memory.compare(e.data, this.data, e.dataLength) == 0;
  }
}

const hash = memory.data(32);

/** numberSize is how many bytes a number has in RLP. */
function numberSize(n: u64): usize {
  return n < 0x80 ? 1 : 1 + <usize>((71 - clz(n)) >> 3);
}

/** textSize is how many bytes a string has in RLP. */
function textSize(at: usize, length: usize): usize {
  return length == 1 && load<u8>(at) < 0x80 ? 1 : listSize(length);
}

/** listSize is how many bytes a list has in RLP whose items have so many. */
function listSize(length: usize): usize {
  return length <= 55 ? 1 + length : 1 + <usize>((39 - clz<u32>(<u32>length)) >> 3) + length;
}
