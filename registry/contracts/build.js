// Compiles src/ into out/<Contract>.json: the ABI and the bytecode, the same bytes on every machine.
//
//   npm ci && node build.js [OUT]
//
// The Go bindings are made from these files by `go test ./registry/contracts -run TestBindings -update`.
'use strict';

const fs = require('fs');
const path = require('path');
const solc = require('solc');

const wanted = ['ServiceRegistry', 'ServerRegistry'];
const out = process.argv[2] || path.join(__dirname, 'out');
const src = path.join(__dirname, 'src');

const sources = {};
for (const file of fs.readdirSync(src).sort()) {
  sources[file] = { content: fs.readFileSync(path.join(src, file), 'utf8') };
}

const compiled = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity',
  sources,
  settings: {
    evmVersion: 'cancun', // the newest that every chain we know of runs
    optimizer: { enabled: true, runs: 1000 },
    metadata: { bytecodeHash: 'none', appendCBOR: false }, // reproducible: nothing but code
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'devdoc', 'userdoc'] } },
  },
})));

for (const message of compiled.errors || []) console.error(message.formattedMessage);
if ((compiled.errors || []).length > 0) process.exit(1); // warnings too

// What a contract shows has to be described, down to each parameter and result.
function undocumented({ abi, userdoc, devdoc }) {
  const kinds = { function: 'methods', event: 'events', error: 'errors' };
  const type = (p) => p.type.replace('tuple', p.components ? `(${p.components.map(type)})` : '');
  const missing = [];
  for (const entry of abi.filter((e) => Object.hasOwn(kinds, e.type))) {
    const key = `${entry.name}(${entry.inputs.map(type)})`;
    const of = (doc) => [((doc[kinds[entry.type]] || {})[key])].flat()[0] || {};
    if (!of(userdoc).notice) missing.push(key);
    if (entry.stateMutability === 'view') continue; // all are variables, whose keys and parts take no words
    for (const { name } of entry.inputs) if (!(of(devdoc).params || {})[name]) missing.push(`${key}, ${name}`);
    for (const { name } of entry.outputs || []) if (!(of(devdoc).returns || {})[name]) missing.push(`${key}, result ${name}`);
  }
  return missing;
}

for (const name of wanted) {
  const missing = undocumented(compiled.contracts[`${name}.sol`][name]);
  for (const what of missing) console.error(`${name} says nothing of ${what}`);
  if (missing.length > 0) process.exit(1);
}

fs.mkdirSync(out, { recursive: true });
for (const name of wanted) {
  const contract = compiled.contracts[`${name}.sol`][name];
  const json = { abi: contract.abi, bytecode: '0x' + contract.evm.bytecode.object };
  fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify(json, null, 1) + '\n');
}
