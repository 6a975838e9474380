/**
 * The program of a parser thread: each message is a text, and gets one reply. Errors other than those about the text
 * are not caught: they end the thread, because the memory of PostgreSQL's parser may then be corrupt.
 */
import { parentPort } from 'node:worker_threads';
import { loadParser } from '../../copy-options/parse-copy-options.ts';
import { runJob, type ParseJob } from './parse-job.ts';

await loadParser();
parentPort?.on('message', (job: ParseJob) => void answer(job));
parentPort?.postMessage('ready', []);

async function answer(job: ParseJob): Promise<void> {
  const reply = await runJob(job);
  const moved = reply.kind === 'request' && 'answer' in reply ? [reply.answer.buffer] : [];
  parentPort?.postMessage(reply, moved);
}
