/** The program of a thread that compresses: one job after another, each with one reply. */
import { parentPort } from 'node:worker_threads';
import { type DeflateJob, runDeflateJob } from './deflate-job.ts';

parentPort?.on('message', (job: DeflateJob) => {
  const reply = runDeflateJob(job);
  parentPort?.postMessage(reply, [...reply.blocks.map(({ buffer }) => buffer), reply.overflow.buffer]);
});
// A job that cannot be read would be waited for in vain: the end of the thread fails it.
parentPort?.on('messageerror', (error) => {
  throw error;
});
