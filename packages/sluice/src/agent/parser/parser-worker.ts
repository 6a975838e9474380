/**
 * The program of a parser thread: one text after another, each with one reply. An error that is not the text's own is
 * not caught: it ends the thread, and with it PostgreSQL's parser, whose memory it may have broken.
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
