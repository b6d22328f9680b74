// Builds the verifiers that are named, each from NAME.ts to NAME.wasm, or from the index.ts of a directory to a module beside it.
// One that stands elsewhere in the repository, as a service's does, is named from here: ../services/search/verifier.
import { existsSync } from "node:fs";
import asc from "assemblyscript/asc";

const here = ["--config", "asconfig.json"];
// Its root is the repository's, so that the reader of bodies and what the host calls are found by the same name from everywhere.
const elsewhere = ["--baseDir", "..", "--optimizeLevel", "3", "--runtime", "stub", "--use", "abort=verifiers/assembly/abi/abort"];

for (const name of process.argv.slice(2)) {
  const source = existsSync(`${name}.ts`) ? `${name}.ts` : `${name}/index.ts`;
  const outside = name.startsWith("../");
  const place = (file) => (outside ? file.slice("../".length) : file);
  const { error, stderr } = await asc.main([place(source), ...(outside ? elsewhere : here), "--outFile", place(`${name}.wasm`)]);
  if (error) throw new Error(stderr.toString(), { cause: error });
}
