import { Input, RPCRequest, RPCResponse } from "../assembly/input";
import { Verdict } from "../assembly/verdict";

/**
 * verify accepts answers that are the same, byte for byte: result or error, and as they were written. Where two differ one of
 * them is wrong, but bytes do not say which, and a majority is no proof: nobody is a culprit.
 *
 * A lone answer contradicts nothing and is accepted. That is for the host to allow: it asks as many servers as minRequests
 * says, and a verifier never counts (protocol 5.4). So compare and spot are one verifier, and differ in minRequests only.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  if (responses.length == 0 || requests.length != responses.length) {
    return Verdict.undecided("want one response to each request, and at least one");
  }
  for (let i = 1; i < responses.length; i++) {
    if (!requests[0].body.equals(requests[i].body)) return Verdict.undecided("the requests differ");
  }
  for (let i = 1; i < responses.length; i++) {
    if (!responses[0].body.equals(responses[i].body)) return Verdict.disagreement([], "the answers differ");
  }
  return Verdict.accepted(0);
}

/** judge is what the host calls. */
export function judge(at: usize, length: i32): u64 {
  const input = Input.read(at, length);
  if (!input) return Verdict.undecided("the input is not of ABI 1").write();
  return verify(input.requests, input.responses).write();
}
