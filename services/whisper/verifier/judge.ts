import { RPCRequest, RPCResponse } from "../../../verifiers/assembly/input";
import { incomparable } from "../../../verifiers/assembly/rpc";
import { Verdict } from "../../../verifiers/assembly/verdict";
import { ask } from "./ask";
import { Finding, Is } from "./question";

/**
 * verify looks at each answer by itself, and accepts the first that is right. Those that are wrong by themselves are culprits, and
 * beside one that is right so are those that nobody can prove. Where none is right, these are believed if they are several and the
 * same bytes; a lone one needs a second.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  const problem = incomparable(requests, responses);
  if (problem.length > 0) return Verdict.undecided(problem);
  const findings = judgeAll(requests[0], responses);
  const winner = first(findings, Is.Right);
  if (winner >= 0) return Verdict.acceptedAgainst(winner, others(findings, Is.Right));
  return unproved(responses, findings);
}

/** judgeAll judges answers that are the same bytes once. */
function judgeAll(request: RPCRequest, responses: RPCResponse[]): Finding[] {
  const question = ask(request);
  const findings: Finding[] = [];
  for (let i = 0; i < responses.length; i++) {
    let before = 0;
    while (before < i && !responses[before].body.equals(responses[i].body)) before++;
    findings.push(before < i ? findings[before] : question.judge(responses[i]));
  }
  return findings;
}

/** unproved is the verdict where no answer is right by itself. */
function unproved(responses: RPCResponse[], findings: Finding[]): Verdict {
  const one = first(findings, Is.Unproved);
  const wrong = others(findings, Is.Unproved);
  if (one < 0) return Verdict.disagreement(wrong, findings[0].why);
  let alike = 0;
  for (let i = one; i < findings.length; i++) {
    if (findings[i].is != Is.Unproved) continue;
    if (!responses[one].body.equals(responses[i].body)) return Verdict.disagreement(wrong, "the answers differ: " + findings[one].why);
    alike++;
  }
  if (alike > 1) return Verdict.acceptedAgainst(one, wrong);
  if (wrong.length > 0) return Verdict.disagreement(wrong, findings[wrong[0]].why);
  return Verdict.needing(2, findings[one].why);
}

function first(findings: Finding[], is: Is): i32 {
  for (let i = 0; i < findings.length; i++) {
    if (findings[i].is == is) return i;
  }
  return -1;
}

function others(findings: Finding[], is: Is): i32[] {
  const found: i32[] = [];
  for (let i = 0; i < findings.length; i++) {
    if (findings[i].is != is) found.push(i);
  }
  return found;
}
