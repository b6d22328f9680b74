import { Envelope, HASH, TOPIC } from "./envelope";

/** KEY is the size of a key: topic, expiry and hash, by which an archive is sorted. */
export const KEY: usize = 40;

/** EXPIRY and REST are where expiry and hash stand in a key. */
export const EXPIRY: usize = TOPIC;
export const REST: usize = TOPIC + 4;

/** writeKey lays an envelope's key down. */
export function writeKey(e: Envelope, to: usize): void {
  memory.copy(to, e.topic, TOPIC);
  writeExpiry(to, <u32>e.expiry);
  e.hash(to + REST);
}

/** writeExpiry lays the time of a key down. */
export function writeExpiry(key: usize, expiry: u32): void {
  store<u32>(key + EXPIRY, bswap(expiry));
}

/** readExpiry is the time of a key. */
export function readExpiry(key: usize): u32 {
  return bswap(load<u32>(key + EXPIRY));
}

/** fillKey gives a key of that topic and time the least hash there is, or the greatest. */
export function fillKey(to: usize, topic: usize, expiry: u32, rest: u8): void {
  memory.copy(to, topic, TOPIC);
  writeExpiry(to, expiry);
  memory.fill(to + REST, rest, HASH);
}

/** orderKeys compares two keys: below 0, 0 or above it. */
export function orderKeys(a: usize, b: usize): i32 {
  return memory.compare(a, b, KEY);
}
