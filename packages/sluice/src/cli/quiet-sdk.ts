import process from 'node:process';

/**
 * Must be imported before everything else in a program. On Node.js 20 the AWS SDK warns every process that its versions
 * of 2027 will need Node.js 22. Our SDK is pinned to a version that does not, and the agent logs its own notice about
 * Node.js 20. A value that the user has set is kept. The library never imports this, since it must not change its
 * host's environment.
 */
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
