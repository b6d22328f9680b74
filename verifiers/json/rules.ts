import { MAX_DEPTH, skipString } from "../assembly/scan";
import { decodeText, orderText, quoteText } from "../assembly/text";
import { Kind, Value } from "../assembly/value";

/** What a rule does where its pointer leads. */
export const IGNORED: i32 = 1;
export const TOLERATED: i32 = 2;
export const SET: i32 = 4;

/** MOST is how many rules a configuration may have. */
const MOST: i32 = 64;

/** tolerant says whether a rule tolerates numbers that differ. */
export let tolerant: bool = false;

class Token {
  constructor(
    readonly text: usize, // as a string that orderText reads
    readonly star: bool,
    readonly index: i32, // of an array's element; -1 where it is none
  ) {}
}

class Rule {
  readonly tokens: Token[] = [];
  limit: f64 = 0;
  relative: bool = false;
  constructor(readonly effect: i32) {}
}

const rules: Rule[] = [];

// Rules that may still lead somewhere, one byte each. A walk keeps those of each level it is in behind those of the level above.
let active: usize = 0;

/** readRules reads a configuration: {"ignore":[pointer…],"tolerance":[{"at":pointer,"absolute":x}…],"sets":[pointer…]}, each of
 * which may be left out. It gives what is wrong with it, nothing where it is right. */
export function readRules(config: Value | null): string {
  if (config) {
    if (config.kind != Kind.Object) return "want an object";
    const e = config.entries();
    while (e.next()) {
      const name = e.text();
      let effect = 0;
      if (name == "ignore") effect = IGNORED;
      if (name == "tolerance") effect = TOLERATED;
      if (name == "sets") effect = SET;
      if (effect == 0) return "want no members but ignore, tolerance and sets";
      const problem = readList(e.value, effect);
      if (problem.length > 0) return problem;
    }
  }
  active = heap.alloc(<usize>(rules.length * (MAX_DEPTH + 2)));
  for (let i = 0; i < rules.length; i++) store<u8>(active + i, <u8>i);
  return "";
}

/** all is how many rules there are: they are active, from 0 to all, where a body begins. */
export function all(): i32 {
  return rules.length;
}

function readList(list: Value, effect: i32): string {
  if (list.kind != Kind.Array) return "ignore, tolerance and sets are arrays";
  const e = list.entries();
  while (e.next()) {
    if (rules.length == MOST) return "want at most 64 rules";
    const rule = new Rule(effect);
    const pointer = effect == TOLERATED ? readTolerance(e.value, rule) : e.value;
    if (!pointer) return "a tolerance has at, and either absolute, above 0, or relative, above 0 and below 1";
    if (!readPointer(pointer, rule.tokens)) return "want pointers such as /result/items/*/id, of at most 64 parts";
    rules.push(rule);
  }
  return "";
}

/** readTolerance gives the pointer of a tolerance, null where it is malformed. */
function readTolerance(from: Value, rule: Rule): Value | null {
  tolerant = true;
  let at: Value | null = null;
  if (from.kind != Kind.Object) return null;
  const e = from.entries();
  while (e.next()) {
    const name = e.text();
    if (name == "at") {
      at = e.value;
    } else if ((name == "absolute" || name == "relative") && rule.limit == 0) {
      rule.relative = name == "relative";
      rule.limit = e.value.number();
      if (!(rule.limit > 0 && rule.limit < (rule.relative ? 1 : Infinity))) return null;
    } else {
      return null;
    }
  }
  return rule.limit > 0 ? at : null;
}

/** readPointer takes a JSON pointer apart (RFC 6901), and is false where it is malformed or points to the whole. */
function readPointer(from: Value, tokens: Token[]): bool {
  if (from.kind != Kind.String) return false;
  const room = skipString(from.at) - from.at;
  const text = heap.alloc(room);
  const end = decodeText(from.at, text);
  let at = text;
  if (at == end) return false;
  while (at < end) {
    if (load<u8>(at++) != 0x2f || tokens.length == MAX_DEPTH) return false; // slash
    const start = at;
    let to = at;
    for (; at < end && load<u8>(at) != 0x2f; at++) {
      let c = load<u8>(at);
      if (c == 0x7e) { // tilde
        c = ++at < end ? load<u8>(at) : 0;
        if (c != 0x30 && c != 0x31) return false;
        c = c == 0x30 ? 0x7e : 0x2f;
      }
      store<u8>(to++, c);
    }
    tokens.push(newToken(start, to));
  }
  return true;
}

function newToken(from: usize, end: usize): Token {
  const text = heap.alloc(2 * (end - from) + 2);
  quoteText(from, end, text);
  return new Token(text, end - from == 1 && load<u8>(from) == 0x2a, indexOf(from, end));
}

/** indexOf is the index that characters write as RFC 6901 wants it, -1 where they are none that a body could have. */
function indexOf(from: usize, end: usize): i32 {
  const n = end - from;
  if (n == 0 || n > 9 || (n > 1 && load<u8>(from) == 0x30)) return -1;
  let index = 0;
  for (; from < end; from++) {
    const c: u32 = <u32>load<u8>(from) - 0x30;
    if (c > 9) return -1;
    index = index * 10 + <i32>c;
  }
  return index;
}

/** effects are what the active rules do to the value at this level. */
export function effects(level: i32, from: i32, to: i32): i32 {
  let found = 0;
  for (let i = from; i < to; i++) {
    const rule = unchecked(rules[load<u8>(active + i)]);
    if (rule.tokens.length == level) found |= rule.effect;
  }
  return found;
}

/** enterMember makes the rules active that lead on through the member whose name stands there, behind those from one index to
 * another. It gives the index behind them. */
export function enterMember(name: usize, level: i32, from: i32, to: i32): i32 {
  let top = to;
  for (let i = from; i < to; i++) {
    const r = load<u8>(active + i);
    const tokens = unchecked(rules[r]).tokens;
    if (tokens.length <= level) continue;
    const token = unchecked(tokens[level]);
    if (token.star || orderText(name, token.text) == 0) store<u8>(active + top++, r);
  }
  return top;
}

/** enterElement does the same for an element of an array. Those of a set have no index, and their numbers no tolerance. */
export function enterElement(index: i32, set: bool, level: i32, from: i32, to: i32): i32 {
  let top = to;
  for (let i = from; i < to; i++) {
    const r = load<u8>(active + i);
    const rule = unchecked(rules[r]);
    if (rule.tokens.length <= level || (set && rule.effect == TOLERATED)) continue;
    const token = unchecked(rule.tokens[level]);
    if (token.star || (!set && token.index == index)) store<u8>(active + top++, r);
  }
  return top;
}

/** within says whether a tolerance of the active rules for this level lets both numbers pass for one. */
export function within(x: f64, y: f64, level: i32, from: i32, to: i32): bool {
  const most = max(abs(x), abs(y));
  if (most == Infinity) return false;
  for (let i = from; i < to; i++) {
    const rule = unchecked(rules[load<u8>(active + i)]);
    if (rule.effect != TOLERATED || rule.tokens.length != level) continue;
    if (abs(x - y) <= (rule.relative ? rule.limit * most : rule.limit)) return true;
  }
  return false;
}
