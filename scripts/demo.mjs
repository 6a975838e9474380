// npm run demo: builds what is missing, then shows the whole way of a query's result into an S3 object.
import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
const { runDemo } = await import('./demo/run-demo.mjs');
process.exitCode = await runDemo();
