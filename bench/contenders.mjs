// Shared by the measurements of exports: a local stack with one session for each kind of caller, and a loop that runs
// the contenders in turns, because other load on the machine varies.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startLocal } from '@sluice/local';
import pg from 'pg';

export const BUCKET = 'bench';

/**
 * A local stack with a bucket, a superuser who exports the direct way, and an ordinary role whose exports are staged.
 */
export async function startBench() {
  const stack = await startLocal();
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await stack.allowExports(BUCKET);

  const url = new URL(stack.postgres.url);
  const superuser = new pg.Client({ connectionString: url.href });
  await superuser.connect();
  await superuser.query(`
    CREATE ROLE ordinary LOGIN PASSWORD 'secret';
    GRANT USAGE ON SCHEMA aws_s3 TO ordinary;
    GRANT EXECUTE ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) TO ordinary;`);
  url.username = 'ordinary';
  url.password = 'secret';
  const ordinary = new pg.Client({ connectionString: url.href });
  await ordinary.connect();
  return {
    stack,
    s3,
    superuser,
    ordinary,
    stop: async () => {
      await Promise.all([superuser.end(), ordinary.end()]);
      s3.destroy();
      await stack.stop();
    },
  };
}

/** Runs every contender once in each round, in turns. Gives the median of each, in milliseconds, by name. */
export async function medians(contenders, { rounds, warmUp }) {
  const timesMs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(contenders)) {
      const start = performance.now();
      await run();
      if (round >= 0) timesMs[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(Object.entries(timesMs).map(([name, times]) => [name, median(times)]));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
