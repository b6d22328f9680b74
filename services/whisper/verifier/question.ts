import { RPCResponse } from "../../../verifiers/assembly/input";
import { error, result } from "../../../verifiers/assembly/rpc";
import { Value } from "../../../verifiers/assembly/value";
import { Output } from "./output";

/** Is says what an answer is, by itself. */
export const enum Is {
  Right,
  Wrong,
  Unproved,
}

/** Finding is what is found out about one answer; why is for people. */
export class Finding {
  constructor(readonly is: Is, readonly why: string) {}
}

/** right finds that nothing but this is the answer, or that any honest server could give it. */
export function right(): Finding {
  return new Finding(Is.Right, "");
}

/** wrong finds that no honest server gives this answer. */
export function wrong(why: string): Finding {
  return new Finding(Is.Wrong, why);
}

/** unproved finds that the answer could be right. */
export function unproved(why: string): Finding {
  return new Finding(Is.Unproved, why);
}

/** Question is what a request asks for, as far as its answers can be judged. */
export abstract class Question {
  abstract judge(answer: RPCResponse): Finding;
}

/** Open is a question that the verifier knows no answer to. */
export class Open extends Question {
  constructor(private readonly why: string) {
    super();
  }

  judge(answer: RPCResponse): Finding {
    return unproved(this.why);
  }
}

/** Refused is a question that deserves an error of that code. Its message is the service's affair. */
export class Refused extends Question {
  constructor(private readonly code: i64) {
    super();
  }

  judge(answer: RPCResponse): Finding {
    const e = error(answer);
    if (!e) return wrong("the request deserves an error");
    const code = e.member("code");
    if (!code || code.integer(0) != this.code) return wrong("the request deserves another error");
    return unproved("the words of an error prove nothing");
  }
}

/** Known is a question whose only answer is known: a result, or an error. */
export class Known extends Question {
  constructor(
    private readonly isError: bool,
    private readonly text: Output,
  ) {
    super();
  }

  judge(answer: RPCResponse): Finding {
    const given = this.isError ? error(answer) : result(answer);
    if (!given) return wrong(this.isError ? "the request deserves an error" : "the request deserves a result");
    return this.text.written().equals(given.bytes()) ? right() : wrong("computed anew it is another");
  }
}

/** ErrorCode is a code of the service's. */
export const enum ErrorCode {
  Params = -32602,
  NotFound = -32030,
  BadRLP = -32031,
  UnknownArchive = -32032,
  TooHigh = -32033,
}

/** failure is a question whose answer is an error without data. */
export function failure(code: i32, message: string): Known {
  return new Known(true, failureText(code, message).ascii("}"));
}

/** failureAt is a question whose answer is an error that names an element. */
export function failureAt(code: i32, message: string, index: i32): Known {
  return new Known(true, failureText(code, message).ascii(',"data":{"index":').number(index).ascii("}}"));
}

function failureText(code: i32, message: string): Output {
  return new Output(128).ascii('{"code":-').number(-code).ascii(',"message":"').ascii(message).ascii('"');
}

/** isFailure says whether an error is just this one. */
export function isFailure(e: Value, code: i32, message: string): bool {
  return failureText(code, message).ascii("}").written().equals(e.bytes());
}
