import process from 'node:process';

/**
 * Imported by a program before all else: the AWS SDK tells every process on Node.js 20 that its versions of 2027 will
 * need Node.js 22. Ours is pinned to one that doesn't, and the agent says in its log what there is to say. A user's own
 * setting stands. Never imported by the library, whose host decides about its own environment.
 */
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
