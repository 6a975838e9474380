// npm run fuzz -- --inputs 10000 --seed 1 --target admin: sends generated inputs to the sockets of an agent; without
// --target to all of them. A run that fails prints its seed, with which it can be repeated.
import { parseArgs } from 'node:util';
import { ensureBuilt } from './ensure-built.mjs';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    target: { type: 'string', multiple: true },
    // Options of Node.js for the agent's process.
    'node-argument': { type: 'string', multiple: true, default: [] },
  },
});
ensureBuilt();
const { fuzz } = await import('../test/fuzz/run.mjs');
console.log(`seed ${values.seed}`);
await fuzz({
  inputs: Number(values.inputs),
  seed: Number(values.seed),
  ...(values.target === undefined ? {} : { targets: values.target }),
  nodeArguments: values['node-argument'],
  log: (line) => console.log(line),
});
