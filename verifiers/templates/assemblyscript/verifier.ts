import { RPCRequest, RPCResponse, Verdict, incomparable } from "./assembly";

/** minRequests is how many servers a caller asks at least, 1 to 64. The caller sees to it; verify need not count. */
export function minRequests(): i32 {
  return 2;
}

/**
 * verify says whether these responses, of different servers to one request, can all be right. Here they can if they are the
 * same bytes. With two it says whether both can be true, with one whether it proves itself or at least contradicts nothing.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  const problem = incomparable(requests, responses);
  if (problem.length > 0) return Verdict.undecided(problem);
  for (let i = 1; i < responses.length; i++) {
    // Which of them is wrong the bytes do not say, and a majority is no proof: there are no culprits.
    if (!responses[0].body.equals(responses[i].body)) return Verdict.disagreement([], "the answers differ");
  }
  return Verdict.accepted(0);
}
