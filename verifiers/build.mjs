// Builds every verifier of this directory.
import asc from "assemblyscript/asc";

for (const name of ["compare", "spot"]) {
  const { error, stderr } = await asc.main([`${name}.ts`, "--config", "asconfig.json", "--outFile", `${name}.wasm`]);
  if (error) throw new Error(stderr.toString(), { cause: error });
}
