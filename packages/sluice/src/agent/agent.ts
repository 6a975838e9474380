import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { copyLayout } from '../copy-options/copy-layout.ts';
import { loadParser, parseCopyOptions } from '../copy-options/parse-copy-options.ts';
import { singleStatement } from '../copy-options/parse-statement.ts';
import { SluiceError } from '../errors.ts';
import { BufferMemory } from '../exporter/buffer-memory.ts';
import { exportToS3 } from '../exporter/export-to-s3.ts';
import { loadS3Sdk } from '../s3/connection.ts';
import { validateS3Uri } from '../s3/s3-uri.ts';
import { VERSION } from '../version.ts';
import { abortLeftUploads } from './abort-left-uploads.ts';
import { ExportSession } from './export-session.ts';
import { resolvePostgresUser } from './os-user.ts';
import { PipePool } from './pipes/pipe-pool.ts';
import type { AgentRequest, BeginRequest } from './request.ts';
import { serveConnection, type RequestHandler } from './rpc-connection.ts';
import { RpcServer } from './rpc-server.ts';
import { toSqlError } from './sql-state.ts';
import { S3Connections } from './s3-connections.ts';
import { FileUploadJournal } from './upload-journal.ts';

const STOP_POLL_MS = 20;
/** Beside those of the exports, for callers that are told that there are too many. */
const SPARE_CONNECTIONS = 64;
/** How long the callers of exports that are aborted at the end have to learn why. */
const LAST_WORD_MS = 2_000;

export interface AgentOptions {
  config: Config;
  log: Logger;
}

/** The process beside PostgreSQL that carries what COPY writes to S3. */
export class Agent {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #pipes: PipePool;
  readonly #journal: FileUploadJournal;
  readonly #s3: S3Connections;
  readonly #memory: BufferMemory;
  readonly #sessions = new Set<ExportSession>();
  #server: RpcServer | undefined;
  #exportCount = 0;
  #isStopping = false;

  private constructor(
    { config, log }: AgentOptions,
    pipes: PipePool,
    journal: FileUploadJournal,
    s3: S3Connections,
  ) {
    this.#config = config;
    this.#log = log;
    this.#pipes = pipes;
    this.#journal = journal;
    this.#s3 = s3;
    this.#memory = new BufferMemory({ limitBytes: config.export.memory });
  }

  /**
   * Starts an agent: cleans up after one that was killed, then listens.
   *
   * @throws SluiceError `config_invalid`: another agent runs there, or a directory can't be used
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const { config, log } = options;
    const owner = await resolvePostgresUser(config.agent.postgres_os_user);
    const directory = config.agent.socket_directory;
    const [journal, s3] = await Promise.all([
      FileUploadJournal.open(config.agent.state_directory),
      S3Connections.open(config),
      loadParser(),
      // Takes a quarter of a second, which the first large export would wait for otherwise.
      loadS3Sdk(),
    ]);
    let agent: Agent | undefined;
    // The socket first: it also keeps a second agent from the pipes of the first.
    const server = await RpcServer.open({
      directory,
      owner,
      maxConnections: config.agent.max_exports + SPARE_CONNECTIONS,
      serve: (socket) => {
        if (agent === undefined) socket.destroy();
        else agent.#serve(socket);
      },
    });
    try {
      const pipes = await PipePool.open({ directory: join(directory, 'pipes'), owner });
      agent = new Agent(options, pipes, journal, s3);
      agent.#server = server;
    } catch (error) {
      await server.close();
      throw error;
    }
    await abortLeftUploads(journal, s3, log);
    log.info(
      { version: VERSION, cluster: config.cluster.identifier, socketDirectory: directory },
      'agent started',
    );
    return agent;
  }

  /**
   * Takes no new exports, lets the running ones end for `gracePeriodMs`, aborts the rest, and leaves nothing behind.
   *
   * @param options.signal aborts the running exports at once
   */
  async stop(options: { gracePeriodMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    this.#isStopping = true;
    this.#server?.stopListening();
    const deadline = Date.now() + (options.gracePeriodMs ?? this.#config.agent.shutdown_timeout);
    if (this.#sessions.size > 0)
      this.#log.info({ exports: this.#sessions.size }, 'waiting for running exports');
    await this.#sessionsEnded(() => Date.now() < deadline && !options.signal?.aborted);
    for (const session of this.#sessions) {
      session.fail(
        new SluiceError('agent_unavailable', 'the Sluice agent was shut down during the export', {
          hint: 'Nothing was published. Export again when the agent has started anew.',
        }),
      );
    }
    const lastWord = Date.now() + LAST_WORD_MS;
    await this.#sessionsEnded(() => Date.now() < lastWord);
    await this.#server?.close();
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#pipes.close();
    await this.#s3.close();
    this.#log.info('agent stopped');
  }

  async #sessionsEnded(mayWait: () => boolean): Promise<void> {
    while (this.#sessions.size > 0 && mayWait()) await delay(STOP_POLL_MS);
  }

  #serve(socket: Parameters<typeof serveConnection>[0]): void {
    let session: ExportSession | undefined;
    const handler: RequestHandler = {
      get hasExport() {
        return session !== undefined;
      },
      handle: async (request) => {
        if (request.op !== 'begin') return this.#answer(request, session);
        if (session !== undefined)
          throw new SluiceError('protocol_violation', 'this connection has an export already');
        const begun = await this.#begin(request);
        session = begun.session;
        return begun.answer;
      },
      close: async () => {
        if (session === undefined) return;
        await session.close();
        this.#sessions.delete(session);
      },
    };
    serveConnection(socket, handler, this.#log, VERSION).catch((error: unknown) => {
      this.#log.error({ err: error }, 'a connection failed');
      socket.destroy();
    });
  }

  async #answer(
    request: Exclude<AgentRequest, BeginRequest>,
    session: ExportSession | undefined,
  ): Promise<object> {
    switch (request.op) {
      case 'statement':
        return { statement: singleStatement(request.query, request) };
      case 'ping':
        return this.#status();
      case 'commit':
        if (session === undefined)
          throw new SluiceError('protocol_violation', 'no export was begun on this connection');
        return session.commit(request.token, BigInt(request.rows));
      case 'abort':
        return abortAnswer(session);
      default:
        return request satisfies never;
    }
  }

  #status(): object {
    const { identifier, region } = this.#config.cluster;
    return {
      version: VERSION,
      cluster: identifier,
      region,
      exports: this.#sessions.size,
      readyPipes: this.#pipes.readyPipes,
    };
  }

  async #begin(request: BeginRequest): Promise<{ session: ExportSession; answer: object }> {
    const { agent: limits, cluster, export: settings } = this.#config;
    if (this.#isStopping)
      throw unavailable('the Sluice agent is shutting down', 'Export again when it has started anew.');
    if (this.#sessions.size >= limits.max_exports) {
      throw unavailable(
        `the Sluice agent runs ${limits.max_exports} exports already`,
        'Export again later, or raise agent.max_exports in sluice.toml.',
      );
    }
    // AWS documents paths with a leading slash (/exports/query-1-export) for keys that have none.
    const key = request.filePath.replace(/^\//, '');
    const { bucket } = request;
    validateS3Uri({ bucket, key });
    const options = parseCopyOptions(request.options);
    const { rowFormat, contentType } = copyLayout(options, request.clientEncoding);
    const connection = this.#s3.get(request.region ?? cluster.region);
    const pipe = await this.#pipes.take();

    const exportId = ++this.#exportCount;
    const { role, database, pid } = request;
    const log = this.#log.child({ export: exportId, role, database, backendPid: pid, bucket, key });
    log.info('export begun');
    const session = new ExportSession({
      pipe,
      log,
      upload: (source, signal) =>
        exportToS3({
          source,
          connection,
          bucket,
          key,
          rowFormat,
          contentType,
          ...(request.kmsKey === null ? {} : { kmsKeyId: request.kmsKey }),
          fileLimitBytes: settings.file_limit,
          partSizeBytes: settings.part_size,
          partsInFlight: settings.parts_in_flight,
          memory: this.#memory,
          journal: this.#journal.ofExport(exportId, connection.region, (uploadId, error) =>
            log.error({ err: error, uploadId }, 'a multipart upload is left open'),
          ),
          signal,
        }),
    });
    this.#sessions.add(session);
    return { session, answer: { token: session.token + session.receipt, pipe: session.pipeName, options } };
  }
}

async function abortAnswer(session: ExportSession | undefined): Promise<object> {
  const failure = (await session?.abort('the export failed in PostgreSQL'))?.failure;
  return { state: 'aborted', ...(failure === undefined ? {} : { error: toSqlError(failure) }) };
}

function unavailable(message: string, hint: string): SluiceError {
  return new SluiceError('agent_unavailable', message, { hint });
}
