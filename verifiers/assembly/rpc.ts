import { RPCRequest, RPCResponse } from "./input";
import { Value } from "./value";

/** method is what a request asks for. */
export function method(request: RPCRequest): string {
  const m = Value.of(request.body).member("method");
  return m ? m.text() : "";
}

/** params are what a request asks with; null where there are none. */
export function params(request: RPCRequest): Value | null {
  return Value.of(request.body).member("params");
}

/** result is what a response answers, null where it is an error. */
export function result(response: RPCResponse): Value | null {
  return Value.of(response.body).member("result");
}

/** error is the error that a response answers, null where it is a result. */
export function error(response: RPCResponse): Value | null {
  return Value.of(response.body).member("error");
}

/** incomparable says why these are not answers to one request, in words for a verdict; empty where they are. */
export function incomparable(requests: RPCRequest[], responses: RPCResponse[]): string {
  if (responses.length == 0 || requests.length != responses.length) return "want one response to each request, and at least one";
  for (let i = 1; i < requests.length; i++) {
    if (!requests[0].body.equals(requests[i].body)) return "the requests differ";
  }
  return "";
}
