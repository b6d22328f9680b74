import { hexLength, readHex } from "../../../verifiers/assembly/hex";
import { skipString } from "../../../verifiers/assembly/scan";
import { Sha256 } from "../../../verifiers/assembly/sha256";
import { decodeText } from "../../../verifiers/assembly/text";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { HASH } from "./envelope";
import { Fields, isProfile } from "./fields";
import { readSigned, whole } from "./number";
import { Output } from "./output";
import { ErrorCode, Known, Question, Refused } from "./question";

const MOST = 1000; // messages
const MOST_BYTES: usize = 1 << 20; // of all of them
const ROOM = 80; // bytes, more than a hash has in the answer

const NAMES = ["messages", "profile"];
const MEMBERS = ["pubsubTopic", "payload", "contentTopic", "timestamp", "meta"];

/** messageHash is the question for the hashes of Waku's messages. */
export function messageHash(params: Value | null): Question {
  const f = Fields.params(params, NAMES, 1);
  if (!f || f.must(0).kind != Kind.Array) return new Refused(ErrorCode.Params);
  const profile = f.get(1);
  const hashes = new Hashes();
  if ((profile && !isProfile(profile)) || !hashes.read(f.must(0))) return new Refused(ErrorCode.Params);
  return hashes.answer();
}

class Hashes {
  private readonly hash: Sha256 = new Sha256();
  private readonly sums: usize = heap.alloc(<usize>MOST * HASH);
  private count: i32 = 0;
  private bytes: usize = 0;
  private readonly time: usize = heap.alloc(8);

  /** read hashes the messages, and is false where they are not as they must be. */
  read(list: Value): bool {
    for (const e = list.entries(); e.next(); this.count++) {
      const f = this.count < MOST ? Fields.object(e.value, MEMBERS, 4) : null;
      if (!f || !this.add(f)) return false;
      memory.copy(this.sums + HASH * <usize>this.count, this.hash.sum(), HASH);
    }
    return true;
  }

  private add(f: Fields): bool {
    this.hash.reset();
    if (!this.text(f.must(0)) || !this.hex(f.must(1)) || !this.text(f.must(2))) return false;
    const meta = f.get(4);
    if ((meta && !this.hex(meta)) || !readSigned(f.must(3))) return false;
    store<u64>(this.time, bswap(whole));
    this.hash.write(this.time, this.time + 8);
    return true;
  }

  private text(v: Value): bool {
    if (v.kind != Kind.String) return false;
    const room = heap.alloc(skipString(v.at) - v.at);
    return this.write(room, decodeText(v.at, room));
  }

  private hex(v: Value): bool {
    if (v.kind != Kind.String) return false;
    const room = heap.alloc((skipString(v.at) - v.at) >> 1);
    return readHex(v.at, room) != 0 && this.write(room, room + hexLength);
  }

  private write(from: usize, end: usize): bool {
    this.bytes += end - from;
    this.hash.write(from, end);
    return this.bytes <= MOST_BYTES;
  }

  answer(): Question {
    const out = new Output(32 + ROOM * this.count);
    out.ascii('{"hashes":[');
    for (let i = 0; i < this.count; i++) {
      if (i > 0) out.ascii(",");
      out.hex(this.sums + HASH * <usize>i, HASH);
    }
    return new Known(false, out.ascii("]}"));
  }
}
