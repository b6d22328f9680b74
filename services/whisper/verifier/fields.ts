import { skipString } from "../../../verifiers/assembly/scan";
import { Kind, Value } from "../../../verifiers/assembly/value";

/** Fields are the members of an object that stand for the fields of a Go struct, as package service reads them. */
export class Fields {
  private readonly found: Array<Value | null>;

  private constructor(private readonly names: string[]) {
    this.found = new Array<Value | null>(names.length);
  }

  /** params reads params, by name or by position; required are the first so many names. It is null where they are not as the
   * method wants them: one missing, unknown, given twice, or null. */
  static params(from: Value | null, names: string[], required: i32): Fields | null {
    const f = new Fields(names);
    if (!from) return required == 0 ? f : null;
    const read = from.kind == Kind.Array ? f.byPosition(from) : f.byName(from);
    return read && f.complete(required) ? f : null;
  }

  /** object reads an object within params in the same way. */
  static object(from: Value, names: string[], required: i32): Fields | null {
    const f = new Fields(names);
    return f.byName(from) && f.complete(required) ? f : null;
  }

  /** get is what a field is given, null where it is not. */
  get(index: i32): Value | null {
    return this.found[index];
  }

  /** must is what a field is given that is required. */
  must(index: i32): Value {
    return this.found[index]!;
  }

  private byPosition(list: Value): bool {
    const e = list.entries();
    for (let i = 0; e.next(); i++) {
      if (i == this.names.length || e.value.kind == Kind.Null) return false;
      this.found[i] = e.value;
    }
    return true;
  }

  private byName(object: Value): bool {
    if (object.kind != Kind.Object) return false;
    const e = object.entries();
    while (e.next()) {
      const i = this.index(new Value(e.name));
      if (i < 0 || this.found[i] || e.value.kind == Kind.Null) return false;
      this.found[i] = e.value;
    }
    return true;
  }

  private index(name: Value): i32 {
    for (let i = 0; i < this.names.length; i++) {
      if (isText(name, this.names[i])) return i;
    }
    return -1;
  }

  private complete(required: i32): bool {
    for (let i = 0; i < required; i++) {
      if (!this.found[i]) return false;
    }
    return true;
  }
}

/** isText says whether a value is a string of these ASCII characters, however it is written. */
export function isText(v: Value, s: string): bool {
  if (v.kind != Kind.String || skipString(v.at) - v.at > <usize>(6 * s.length + 2)) return false;
  return v.text() == s;
}

/** isProfile says whether a value names one of the two profiles. */
export function isProfile(v: Value): bool {
  return isGeth(v) || isText(v, "eip627");
}

/** isGeth says whether a value names geth's profile. */
export function isGeth(v: Value): bool {
  return isText(v, "geth6");
}
