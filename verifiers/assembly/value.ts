import { Bytes } from "./bytes";
import { Decimal } from "./number";
import {
  CLOSE_BRACE, COMMA, MAX_DEPTH, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipColon, skipSpace, skipString, skipValue,
} from "./scan";
import { decodeText, orderText, quoteText } from "./text";

/** Kind is what a JSON value is. */
export const enum Kind {
  Null,
  Boolean,
  Number,
  String,
  Array,
  Object,
}

/**
 * Value is a view of a JSON value in a body. Nothing is read before it is asked for, and nothing is copied but what a method
 * gives as a string. Bodies are strict JSON when they come here (protocol 3.3); below 64 levels there is nothing to be seen.
 */
export class Value {
  constructor(
    /** Where it begins. */
    readonly at: usize,
    private readonly level: i32 = 0,
  ) {}

  /** of is the value that some bytes hold, a body or the configuration. */
  static of(bytes: Bytes): Value {
    return new Value(skipSpace(bytes.at));
  }

  get kind(): Kind {
    const c = load<u8>(this.at);
    if (c == QUOTE) return Kind.String;
    if (c == OPEN_BRACE) return Kind.Object;
    if (c == OPEN_BRACKET) return Kind.Array;
    if (c == 0x6e) return Kind.Null;
    return c == 0x74 || c == 0x66 ? Kind.Boolean : Kind.Number;
  }

  /** bytes are the value as it is written. */
  bytes(): Bytes {
    return new Bytes(this.at, <i32>(skipValue(this.at) - this.at));
  }

  /** entries goes through an array or an object; of other values there are none. */
  entries(): Entries {
    return new Entries(this.at, this.level + 1);
  }

  /** member is that of an object which has the name, however it is written; null where there is none. */
  member(name: string): Value | null {
    if (this.kind != Kind.Object) return null;
    const length = String.UTF8.byteLength(name);
    const plain = heap.alloc(3 * length + 2);
    String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, plain);
    const quoted = plain + length;
    quoteText(plain, quoted, quoted);
    const e = this.entries();
    while (e.next()) {
      if (orderText(e.name, quoted) == 0) return e.value;
    }
    return null;
  }

  /** item is an element of an array, null where there is none. */
  item(index: i32): Value | null {
    if (this.kind != Kind.Array || index < 0) return null;
    const e = this.entries();
    while (e.next()) {
      if (index-- == 0) return e.value;
    }
    return null;
  }

  /** isTrue says whether it is true. */
  isTrue(): bool {
    return load<u8>(this.at) == 0x74;
  }

  /** text is what a string means, empty for other values. */
  text(): string {
    if (this.kind != Kind.String) return "";
    const to = heap.alloc(skipString(this.at) - this.at);
    return String.UTF8.decodeUnsafe(to, decodeText(this.at, to) - to);
  }

  /** number is the nearest f64, or the one beside it: NaN for other values, infinite where it is too large. */
  number(): f64 {
    if (this.kind != Kind.Number) return NaN;
    const d = new Decimal();
    d.read(this.at);
    return d.toNumber();
  }

  /** integer is the number, if it is written as a whole one of at most 18 digits, and otherwise what it is given. */
  integer(otherwise: i64): i64 {
    let at = this.at;
    const negative = load<u8>(at) == 0x2d;
    if (negative) at++;
    let n: i64 = 0;
    let digits = 0;
    for (; ; at++, digits++) {
      const c: u32 = <u32>load<u8>(at) - 0x30;
      if (c > 9) break;
      if (digits < 18) n = n * 10 + c;
    }
    const c = load<u8>(at);
    if (digits == 0 || digits > 18 || c == 0x2e || (c | 0x20) == 0x65) return otherwise;
    return negative ? -n : n;
  }
}

/** Entries goes through the members of an object or the elements of an array: while (e.next()) { … e.value … } */
export class Entries {
  private close: u8 = 0; // the character that ends it; 0 where there is nothing more
  private begun: bool = false;
  /** The place of the member's name, with its quote; 0 in an array. */
  name: usize = 0;

  constructor(
    private at: usize,
    private readonly level: i32,
  ) {
    const c = load<u8>(at);
    if (level <= MAX_DEPTH && (c | 0x20) == OPEN_BRACE) this.close = c + 2; // the brackets' partners in ASCII
  }

  /** next goes to the next entry, and is false where there is none. */
  next(): bool {
    if (this.close == 0) return false;
    let at = skipSpace(this.begun ? skipValue(this.at) : this.at + 1);
    if (this.begun && load<u8>(at) == COMMA) at = skipSpace(at + 1);
    this.begun = true;
    if (load<u8>(at) == this.close) {
      this.close = 0;
      return false;
    }
    if (this.close == CLOSE_BRACE) {
      this.name = at;
      at = skipColon(skipString(at));
    }
    this.at = at;
    return true;
  }

  /** The value of the entry. */
  get value(): Value {
    return new Value(this.at, this.level);
  }

  /** text is the member's name. */
  text(): string {
    return new Value(this.name).text();
  }
}
