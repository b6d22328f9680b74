import { RPCRequest } from "../../../verifiers/assembly/input";
import { method, params } from "../../../verifiers/assembly/rpc";
import { skipString } from "../../../verifiers/assembly/scan";
import { decodeText } from "../../../verifiers/assembly/text";
import { Kind, Value } from "../../../verifiers/assembly/value";
import { Span } from "./room";
import { Terms } from "./terms";
import { Words } from "./words";

/** What is asked for. */
export const enum Method {
  Unknown,
  Query,
  Suggest,
  Document,
  Info,
  Discover,
}

/** Ask is a request as the service understands it. */
export class Ask {
  method: Method = Method.Unknown;
  /** Why the service refuses it with an error; empty where it does not. */
  problem: string = "";
  /** The param q, prefix (as it is folded) or doc. */
  readonly text: Span = new Span();
  k: i32 = 10;
  proof: bool = false;
  /** The terms of q. */
  readonly terms: Terms = new Terms();

  constructor(request: RPCRequest) {
    const name = method(request);
    if (name == "search_query") this.read(request, Method.Query, ["q", "k", "proof"]);
    else if (name == "search_suggest") this.read(request, Method.Suggest, ["prefix", "k", "proof"]);
    else if (name == "search_document") this.read(request, Method.Document, ["doc", "proof"]);
    else if (name == "search_info") this.read(request, Method.Info, []);
    else if (name == "rpc.discover") this.read(request, Method.Discover, []);
    else this.problem = "there is no such method";
  }

  /** read takes params, by name or by position, and holds them to the service's bounds. */
  private read(request: RPCRequest, method: Method, names: string[]): void {
    this.method = method;
    const given = params(request);
    let first = false;
    if (given) {
      const list = given.kind == Kind.Array;
      const e = given.entries();
      for (let i = 0; e.next(); i++) {
        const name = list ? (i < names.length ? names[i] : "") : e.text();
        if (!names.includes(name)) return this.refuse("a param is unknown");
        if (!this.take(name, e.value)) return this.refuse("a param is of another type");
        first = first || name == names[0];
      }
    }
    if (names.length > 0 && !first) return this.refuse("a param is missing");
    this.bound();
  }

  /** take reads one param, and says whether it is of its type. */
  private take(name: string, value: Value): bool {
    const kind = value.kind;
    if (name == "proof") {
      this.proof = value.isTrue();
      return kind == Kind.Boolean;
    }
    if (name == "k") {
      const k = value.integer(0);
      this.k = k < 1 || k > 1000 ? 0 : <i32>k;
      return kind == Kind.Number;
    }
    if (kind != Kind.String) return false;
    const to = heap.alloc(skipString(value.at) - value.at);
    this.text.set(to, <i32>(decodeText(value.at, to) - to));
    return true;
  }

  private bound(): void {
    if (this.method == Method.Query) {
      if (this.text.length > 1024) this.refuse("q is too long");
      else if (!this.terms.read(this.text)) this.refuse("q has too many terms");
      this.atMost(this.proof ? 50 : 1000);
    } else if (this.method == Method.Suggest) {
      if (this.text.length > 64 || !this.fold()) this.refuse("prefix is no word");
      this.atMost(20);
    }
  }

  private atMost(most: i32): void {
    if (this.k < 1 || this.k > most) this.refuse("k is out of range");
  }

  /** fold makes of the prefix what it is within a word, and says whether it is one word. */
  private fold(): bool {
    const words = new Words(this.text);
    if (!words.next()) return false;
    this.text.set(words.take(), words.word.length);
    return !words.next();
  }

  private refuse(why: string): void {
    this.problem = why;
  }
}
