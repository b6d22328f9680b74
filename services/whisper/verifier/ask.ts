import { RPCRequest } from "../../../verifiers/assembly/input";
import { params } from "../../../verifiers/assembly/rpc";
import { Value } from "../../../verifiers/assembly/value";
import { isText } from "./fields";
import { mail } from "./mail";
import { Open, Question } from "./question";
import { seal } from "./seal";
import { validate } from "./validate";
import { messageHash } from "./waku";

/** ask takes a request apart. */
export function ask(request: RPCRequest): Question {
  const method = Value.of(request.body).member("method");
  const p = params(request);
  if (method) {
    if (isText(method, "whisper_seal")) return seal(p);
    if (isText(method, "whisper_validate")) return validate(p);
    if (isText(method, "whisper_mail")) return mail(p);
    if (isText(method, "waku_messageHash")) return messageHash(p);
  }
  return new Open("no method whose answers prove themselves");
}
