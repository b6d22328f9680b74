import { Bytes } from "../assembly/bytes";
import { RPCRequest, RPCResponse } from "../assembly/input";
import { incomparable } from "../assembly/rpc";
import { config } from "../assembly/run";
import { Verdict } from "../assembly/verdict";
import { readRules, tolerant } from "./rules";
import { agree, tooDeep } from "./same";

/**
 * verify accepts answers that are the same JSON values, save for what the configuration tolerates. To be within a tolerance of
 * something is not to be within it of all that is, so each answer is compared with each other one. Where two differ, their
 * bytes do not say which is wrong: nobody is a culprit. A lone answer contradicts nothing, as under compare.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  const problem = incomparable(requests, responses);
  if (problem.length > 0) return Verdict.undecided(problem);
  const mistake = readRules(config());
  if (mistake.length > 0) return Verdict.undecided("config: " + mistake);
  const distinct: Bytes[] = [];
  for (let i = 0; i < responses.length; i++) {
    const body = responses[i].body;
    if (!known(distinct, body)) distinct.push(body);
  }
  for (let i = 1; i < distinct.length; i++) {
    const others = tolerant ? i : 1; // without tolerances, what is the same as one is the same as all
    for (let j = 0; j < others; j++) {
      if (agree(distinct[j], distinct[i])) continue;
      return tooDeep ? Verdict.undecided("an answer nests deeper than 64") : Verdict.disagreement([], "the answers differ");
    }
  }
  return Verdict.accepted(0);
}

function known(list: Bytes[], body: Bytes): bool {
  for (let i = 0; i < list.length; i++) {
    if (list[i].equals(body)) return true;
  }
  return false;
}
