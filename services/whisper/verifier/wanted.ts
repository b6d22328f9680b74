import { hexLength, readHex } from "../../../verifiers/assembly/hex";
import { skipString } from "../../../verifiers/assembly/scan";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { TOPIC } from "./envelope";
import { Fields } from "./fields";
import { EXPIRY, KEY, REST, fillKey, orderKeys, readExpiry, writeExpiry } from "./key";
import { readU32, whole } from "./number";

const MOST_TOPICS = 100;

const PLACE = ["topic", "expiry", "hash"];

/** Wanted says which keys of an archive are asked for. */
export class Wanted {
  readonly topics: usize = heap.alloc(<usize>MOST_TOPICS * TOPIC);
  count: i32 = 0;
  private from: u32 = 0;
  private to: u32 = 0;
  /** The least key, if not zero. */
  private start: usize = 0;
  private readonly low: usize = heap.alloc(KEY);
  private readonly high: usize = heap.alloc(KEY);

  /** read takes the params that say it, and is false where they are invalid. */
  read(topics: Value, from: Value, to: Value, start: Value | null): bool {
    if (!this.readTopics(topics) || !readU32(from)) return false;
    this.from = <u32>whole;
    if (!readU32(to)) return false;
    this.to = <u32>whole;
    return this.from <= this.to && (!start || this.readStart(start));
  }

  private readTopics(list: Value): bool {
    if (list.kind != Kind.Array) return false;
    for (const e = list.entries(); e.next(); this.count++) {
      if (this.count == MOST_TOPICS) return false;
      const topic = readExactly(e.value, TOPIC);
      if (topic == 0 || this.has(topic)) return false;
      memory.copy(this.topics + TOPIC * <usize>this.count, topic, TOPIC);
    }
    return this.count > 0;
  }

  private readStart(v: Value): bool {
    const f = Fields.object(v, PLACE, 3);
    const topic = f ? readExactly(f.must(0), TOPIC) : 0;
    const hash = f ? readExactly(f.must(2), KEY - REST) : 0;
    if (topic == 0 || hash == 0 || !readU32(f!.must(1))) return false;
    this.start = heap.alloc(KEY);
    memory.copy(this.start, topic, TOPIC);
    writeExpiry(this.start, <u32>whole);
    memory.copy(this.start + REST, hash, KEY - REST);
    return true;
  }

  /** has says whether a topic, or the one that a key begins with, is asked for. */
  private has(topic: usize): bool {
    for (let i = 0; i < this.count; i++) {
      if (load<u32>(this.topics + TOPIC * <usize>i) == load<u32>(topic)) return true;
    }
    return false;
  }

  /** asks says whether a key is asked for. */
  asks(key: usize): bool {
    const expiry = readExpiry(key);
    if (!this.has(key) || expiry < this.from || expiry > this.to) return false;
    return this.start == 0 || orderKeys(key, this.start) >= 0;
  }

  /** hides says whether a key that is asked for could stand between two others, and before the next, if there is one. The places
   * are 0 where there is no other. */
  hides(left: usize, right: usize, next: usize): bool {
    for (let i = 0; i < this.count; i++) {
      const topic = this.topics + TOPIC * <usize>i;
      fillKey(this.low, topic, this.from, 0);
      fillKey(this.high, topic, this.to, 0xff);
      const low = this.start != 0 && orderKeys(this.start, this.low) > 0 ? this.start : this.low;
      const high = next != 0 && orderKeys(next, this.high) < 0 ? next : this.high;
      if (orderKeys(low, high) > 0) continue;
      if ((right == 0 || orderKeys(right, low) > 0) && (left == 0 || orderKeys(left, high) < 0)) return true;
    }
    return false;
  }
}

/** readExactly gives the place of so many bytes that a string has in hex, 0 where it has not. */
export function readExactly(v: Value, length: usize): usize {
  if (v.kind != Kind.String || skipString(v.at) - v.at > 6 * (2 * length + 2) + 2) return 0;
  const room = heap.alloc(skipString(v.at) - v.at);
  return readHex(v.at, room) != 0 && hexLength == length ? room : 0;
}
