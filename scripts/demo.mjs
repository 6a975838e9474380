// npm run demo: builds what is missing, then shows the whole way of a query's result into an S3 object.
import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
// The AWS SDK warns about versions of Node.js that it will not support in the future: not a part of the story.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const { runDemo } = await import('./demo/run-demo.mjs');
process.exitCode = await runDemo();
