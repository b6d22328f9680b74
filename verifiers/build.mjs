// Builds the verifiers that are named, each from NAME.ts to NAME.wasm.
import asc from "assemblyscript/asc";

for (const name of process.argv.slice(2)) {
  const { error, stderr } = await asc.main([`${name}.ts`, "--config", "asconfig.json", "--outFile", `${name}.wasm`]);
  if (error) throw new Error(stderr.toString(), { cause: error });
}
