// What a verifier's author writes against.
export { Bytes } from "./bytes";
export { RPCRequest, RPCResponse } from "./input";
export { Decimal } from "./number";
export { error, incomparable, method, params, result } from "./rpc";
export { config } from "./run";
export { Sha256 } from "./sha256";
export { Entries, Kind, Value } from "./value";
export { Verdict } from "./verdict";
