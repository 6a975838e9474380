// npm run demo: builds what is missing, then exports a query's result to S3, from the first step to the stored object.
import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
// The demo itself uses clients of the AWS SDK, which on Node.js 20 warn about future versions of the SDK.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { runDemo } = await import('./demo/run-demo.mjs');
process.exitCode = await runDemo();
