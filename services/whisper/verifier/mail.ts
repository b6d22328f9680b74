import { Bytes } from "../../../verifiers/assembly/bytes";
import { RPCResponse } from "../../../verifiers/assembly/input";
import { HASH as ROOT, sameHash } from "../../../verifiers/assembly/merkle";
import { result } from "../../../verifiers/assembly/rpc";
import { config } from "../../../verifiers/assembly/run";
import { Value } from "../../../verifiers/assembly/value";
import { Archive } from "./archive";
import { Envelope, TOPIC } from "./envelope";
import { Fields, isProfile } from "./fields";
import { KEY, REST, orderKeys, writeExpiry, writeKey } from "./key";
import { readWhole, whole } from "./number";
import { ErrorCode, Finding, Open, Question, Refused, failure, right, wrong } from "./question";
import { Strict } from "./strict";
import { Wanted, readExactly } from "./wanted";

const MOST: u64 = 1000; // envelopes
const FULL: usize = 524288; // bytes of envelopes, from which on an answer may end

const NAMES = ["profile", "archive", "topics", "from", "to", "limit", "start"];

/** mail is the question for the envelopes of topics in an archive. */
export function mail(params: Value | null): Question {
  const f = Fields.params(params, NAMES, 6);
  const wanted = new Wanted();
  if (!f || !isProfile(f.must(0)) || !wanted.read(f.must(2), f.must(3), f.must(4), f.get(6))) return new Refused(ErrorCode.Params);
  const archive = readExactly(f.must(1), ROOT);
  if (archive == 0 || !readWhole(f.must(5), MOST) || whole == 0) return new Refused(ErrorCode.Params);
  const known = configured();
  if (known == 0) return new Open("config: want the root of the archive");
  if (!sameHash(known, archive)) return failure(ErrorCode.UnknownArchive, "unknown_archive");
  return new Mail(wanted, <i32>whole, archive);
}

/** configured is the root of the archive that the service has, 0 where the configuration does not say. */
function configured(): usize {
  const c = config();
  const archive = c ? c.member("archive") : null;
  return archive ? readExactly(archive, ROOT) : 0;
}

/** Mail is all mail of an archive that is asked for, or the beginning of it: nothing may be left out, and nothing be added. */
class Mail extends Question {
  private readonly next: usize = heap.alloc(KEY);

  constructor(
    private readonly wanted: Wanted,
    private readonly limit: i32,
    private readonly archive: usize,
  ) {
    super();
  }

  judge(answer: RPCResponse): Finding {
    const given = result(answer);
    if (!given) return wrong("the request deserves a result");
    const bytes = given.bytes();
    const r = new Strict(bytes);
    const envelopes = new Envelopes(this.limit, heap.alloc(bytes.length >> 1));
    if (!envelopes.read(r)) return wrong("these are no envelopes as the service writes them, or too many");
    const next = this.readNext(r);
    r.pass(',"proof":');
    const proofEnd = r.hex(envelopes.end);
    r.pass("}");
    if (!r.done()) return wrong("it is not written as the service writes it");
    const problem = this.check(envelopes, next);
    if (problem.length > 0) return wrong(problem);
    const proof = new Bytes(envelopes.end, <i32>(proofEnd - envelopes.end));
    return this.prove(new Archive(envelopes.keys, envelopes.count, next), proof);
  }

  /** readNext gives the key at which a further request would go on, 0 where there is none. */
  private readNext(r: Strict): usize {
    r.pass(',"next":');
    if (r.next("null")) return 0;
    r.pass('{"topic":');
    const topic = r.exactly(this.next, TOPIC);
    r.pass(',"expiry":');
    const expiry = r.number();
    r.pass(',"hash":');
    const hash = r.exactly(this.next + REST, KEY - REST);
    r.pass("}");
    writeExpiry(this.next, <u32>expiry);
    if (!topic || !hash || expiry > <u64>u32.MAX_VALUE) r.bad = true;
    return this.next;
  }

  /** check says what is wrong with the mail, whatever the archive has. */
  private check(envelopes: Envelopes, next: usize): string {
    for (let i = 0; i < envelopes.count; i++) {
      if (!this.wanted.asks(envelopes.key(i))) return "an envelope is not asked for";
    }
    if (next == 0) return "";
    if (envelopes.count < this.limit && envelopes.bytes() < FULL) return "there is room for more";
    if (!this.wanted.asks(next)) return "the next is not asked for";
    return orderKeys(next, envelopes.key(envelopes.count - 1)) > 0 ? "" : "the next is none";
  }

  /** prove follows the proof to the archive's root. */
  private prove(archive: Archive, proof: Bytes): Finding {
    const most = 2 * this.wanted.count + 1;
    if (!archive.read(proof, most)) return wrong("the proof is none");
    if (!sameHash(archive.root, this.archive)) return wrong("the proof does not lead to the archive");
    return archive.isComplete(this.wanted) ? right() : wrong("mail could be left out");
  }
}

/** Envelopes are those of an answer, one behind the other. */
class Envelopes {
  readonly keys: usize;
  count: i32 = 0;
  end: usize;

  constructor(
    private readonly limit: i32,
    private readonly start: usize,
  ) {
    this.end = start;
    this.keys = heap.alloc(KEY * <usize>limit);
  }

  bytes(): usize {
    return this.end - this.start;
  }

  key(index: i32): usize {
    return this.keys + KEY * <usize>index;
  }

  /** read passes them, and is false where one is no envelope, or one too many. */
  read(r: Strict): bool {
    r.pass('{"envelopes":[');
    while (!r.bad && !r.next("]")) {
      if (this.count > 0) r.pass(",");
      if (this.count == this.limit || this.bytes() >= FULL) return false;
      const end = r.hex(this.end);
      const e = Envelope.read(this.end, end);
      if (r.bad || !e) return false;
      writeKey(e, this.key(this.count++));
      this.end = end;
    }
    return !r.bad;
  }
}
