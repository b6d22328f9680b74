import { RPCResponse } from "../../../verifiers/assembly/input";
import { sameHash } from "../../../verifiers/assembly/merkle";
import { result } from "../../../verifiers/assembly/rpc";
import { Ask, Method } from "./ask";
import { wrongInfo } from "./info";
import { Proof } from "./proof";
import { Query, sameTerms } from "./query";
import { Result } from "./result";
import { Room } from "./room";
import { wrongSuggestions } from "./suggest";

/** What an answer is by itself. */
export const enum Grade {
  /** It proves itself. */
  Right,
  /** It can be seen to be wrong. */
  Wrong,
  /** Neither can be seen. */
  Open,
}

/** Judge looks at one answer after the other. */
export class Judge {
  /** What is wrong with the last one that is. */
  why: string = "";
  private readonly result: Result = new Result();
  private readonly proof: Proof = new Proof();
  private readonly query: Query = new Query();

  constructor(
    private readonly root: usize,
    private readonly ask: Ask,
    private readonly room: Room,
  ) {}

  /** grade looks at an answer. An error claims nothing about the collection, so it is neither right nor wrong by itself. */
  grade(response: RPCResponse): Grade {
    const value = result(response);
    if (!value) return Grade.Open;
    this.room.clear();
    const problem = this.wrong(value.at);
    if (problem.length > 0) {
      this.why = problem;
      return Grade.Wrong;
    }
    return this.ask.proof || this.ask.method == Method.Info ? Grade.Right : Grade.Open;
  }

  /** wrong says what can be seen to be wrong with a result. */
  private wrong(at: usize): string {
    const ask = this.ask;
    if (ask.problem.length > 0) return "a result where there is none: " + ask.problem;
    if (ask.method == Method.Discover) return "";
    if (ask.method == Method.Info) return wrongInfo(at, this.root, this.room);
    const found = this.result;
    if (!found.read(at, ask, this.room)) return "other members than there should be";
    if (!sameHash(found.root, this.root)) return "another collection";
    if (ask.method == Method.Document && found.documents.at(0).name.order(ask.text) != 0) return "another document";
    const problem = ask.method == Method.Query ? sameTerms(ask, found) : "";
    return problem.length > 0 ? problem : this.wrongProof();
  }

  /** wrongProof says what is wrong with what is proven. */
  private wrongProof(): string {
    const bytes = this.result.proof;
    if (!bytes) return "";
    const ask = this.ask;
    const text = ask.method == Method.Document ? this.result.text : null;
    if (!this.proof.read(bytes, this.root, this.result.documents, text)) return "the proof does not lead to the root";
    if (ask.method == Method.Query) return this.query.wrong(ask, this.result, this.proof);
    if (ask.method == Method.Suggest) return wrongSuggestions(ask, this.result, this.proof);
    return this.proof.leaves.length == 0 ? "" : "the proof shows what was not asked for";
  }
}
