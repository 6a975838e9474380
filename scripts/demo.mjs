// npm run demo: builds what is missing, then shows the whole way of a query's result into an S3 object.
import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
// The demo makes clients of the AWS SDK itself, which warns on Node.js 20 about its versions of the future.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { runDemo } = await import('./demo/run-demo.mjs');
process.exitCode = await runDemo();
