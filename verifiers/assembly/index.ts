// What a verifier's author writes against.
export { base64 } from "./base64";
export { Bytes } from "./bytes";
export { hexLength, readHex, writeHex } from "./hex";
export { RPCRequest, RPCResponse } from "./input";
export { Keccak256 } from "./keccak";
export { HASH, Hashes, LeafHash, rootOf, sameHash } from "./merkle";
export { Decimal } from "./number";
export { Reader } from "./reader";
export { error, incomparable, method, params, result } from "./rpc";
export { config } from "./run";
export { Sha256 } from "./sha256";
export { Entries, Kind, Value } from "./value";
export { Verdict } from "./verdict";
