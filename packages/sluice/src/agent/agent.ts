import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CleanUp } from '../clean-up/clean-up.ts';
import type { Config } from '../config/schema.ts';
import type { Compression } from '../compression/compression.ts';
import { copyLayout, type CopyLayout } from '../copy-options/copy-layout.ts';
import { takeCompression } from '../copy-options/take-compression.ts';
import { SluiceError } from '../errors.ts';
import { BufferMemory } from '../exporter/buffer-memory.ts';
import { exportToS3 } from '../exporter/export-to-s3.ts';
import { PublishedKeys } from '../exporter/published-keys.ts';
import type { ClusterRoles } from '../identity/cluster-roles.ts';
import type { RdsApi } from '../rds-api/rds-api.ts';
import { loadS3Sdk } from '../s3/connection.ts';
import { validateS3Uri } from '../s3/s3-uri.ts';
import { isUploadError } from '../s3/upload-error.ts';
import { VERSION } from '../version.ts';
import { AdminServer } from './admin/admin-server.ts';
import { ExportConnection, type BegunExport } from './export-connection.ts';
import { ExportSession } from './export-session.ts';
import { openJournal } from './open-journal.ts';
import { openRdsApi } from './open-rds-api.ts';
import { openRoles } from './open-roles.ts';
import { resolvePostgresUser } from './os-user.ts';
import { OutdatedExtensions } from './outdated-extensions.ts';
import { ParserPool } from './parser/parser-pool.ts';
import { PipePool } from './pipes/pipe-pool.ts';
import type { AgentRequest, BeginRequest } from './request.ts';
import { serveConnection } from './rpc-connection.ts';
import { RpcServer } from './rpc-server.ts';
import { S3Connections, type S3Lease } from './s3-connections.ts';
import { steadyNow } from '../steady-clock.ts';

/** Connections beside those of the exports: for requests that belong to no export, and for exports that are refused. */
const SPARE_CONNECTIONS = 64;
const STOP_POLL_MS = 20;
const PLACE_POLL_MS = 5;
/** How long a new export waits for the place of an aborted one, whose last request to S3 may stall. */
const PLACE_TIMEOUT_MS = 2_000;
/** At the end, how long the callers of aborted exports have to receive the reason. */
const LAST_WORD_MS = 2_000;

export interface AgentOptions {
  config: Config;
  log: Logger;
}

interface AgentParts {
  roles: ClusterRoles;
  s3: S3Connections;
  keys: PublishedKeys;
  cleanUp: CleanUp;
  parser: ParserPool;
  pipes: PipePool;
  server: RpcServer;
  rdsApi: RdsApi | undefined;
  admin: AdminServer;
}

/** The process beside PostgreSQL that reads what COPY writes and uploads it to S3. */
export class Agent {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #parts: AgentParts;
  readonly #memory: BufferMemory;
  readonly #sessions = new Set<ExportSession>();
  readonly #stopping = new AbortController();
  readonly #outdated: OutdatedExtensions;
  /** Exports whose begin has started and that have no session yet. */
  #beginnings = 0;
  #exportCount = 0;

  private constructor({ config, log }: AgentOptions, parts: AgentParts) {
    this.#config = config;
    this.#log = log;
    this.#parts = parts;
    this.#outdated = new OutdatedExtensions(log);
    this.#memory = new BufferMemory({ limitBytes: config.export.memory });
  }

  /**
   * Starts an agent: cleans up after one that was killed, then listens.
   *
   * @throws SluiceError `config_invalid`: another agent runs there, or a directory can't be used
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const { config, log } = options;
    const directory = config.agent.socket_directory;
    const owner = await resolvePostgresUser(config.agent.postgres_os_user);
    // Loaded at the start: the SDK takes a quarter of a second, for which the first large export would wait otherwise.
    const [parser] = await Promise.all([ParserPool.open({ log }), loadS3Sdk()]);
    const closers: (() => Promise<void>)[] = [() => parser.close()];
    let agent: Agent | undefined;
    try {
      // The socket comes first: a second agent fails here, before it touches the pipes of the first.
      const server = await RpcServer.open({
        directory,
        owner,
        maxConnections: config.agent.max_exports + SPARE_CONNECTIONS,
        log,
        serve: (socket) => {
          if (agent === undefined) socket.destroy();
          else agent.#serve(socket);
        },
      });
      closers.push(() => server.close());
      const roles = await openRoles(config, log);
      closers.push(() => roles.close());
      const admin = await AdminServer.open({ stateDirectory: config.agent.state_directory, roles, log });
      closers.push(() => admin.close());
      const s3 = await S3Connections.open(config, roles);
      const keys = new PublishedKeys();
      const { store, left } = await openJournal(config.agent.state_directory, log);
      const cleanUp = new CleanUp({ store, s3, keys, log });
      const rdsApi = await openRdsApi(config, roles, log);
      if (rdsApi !== undefined) closers.push(() => rdsApi.close());
      const pipes = await PipePool.open({ directory: join(directory, 'pipes'), owner });
      agent = new Agent(options, { roles, s3, keys, cleanUp, parser, pipes, server, rdsApi, admin });
      cleanUp.takeOver(left);
    } catch (error) {
      // A failure to clean up must not hide the first error, which says what went wrong.
      await Promise.allSettled(closers.map((close) => close()));
      throw error;
    }
    log.info(
      { version: VERSION, cluster: config.cluster.identifier, socketDirectory: directory },
      'agent started',
    );
    return agent;
  }

  /** The IAM roles that are associated with the cluster. */
  get roles(): ClusterRoles {
    return this.#parts.roles;
  }

  /**
   * Takes no new exports, lets the running ones go on for `gracePeriodMs`, aborts the rest, and closes everything.
   *
   * @param options.signal aborts the running exports at once
   */
  async stop(options: { gracePeriodMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    const { server, rdsApi, admin, cleanUp, parser, pipes, s3, roles } = this.#parts;
    this.#stopping.abort(
      unavailable('the Sluice agent is shutting down', 'Export again when it has started anew.'),
    );
    server.stopListening();
    const deadline = steadyNow() + (options.gracePeriodMs ?? this.#config.agent.shutdown_timeout);
    if (this.#sessions.size > 0)
      this.#log.info({ exports: this.#sessions.size }, 'waiting for running exports');
    await this.#sessionsEnded(() => steadyNow() < deadline && !options.signal?.aborted);
    for (const session of this.#sessions) {
      session.fail(
        new SluiceError('agent_unavailable', 'the Sluice agent was shut down during the export', {
          hint: 'Export again when it has started anew.',
        }),
      );
    }
    const lastWord = steadyNow() + LAST_WORD_MS;
    await this.#sessionsEnded(() => steadyNow() < lastWord);
    await Promise.all([server.close(), rdsApi?.close(), admin.close(), cleanUp.stop()]);
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await Promise.all([parser.close(), pipes.close()]);
    await s3.close();
    await roles.close();
    this.#log.info('agent stopped');
  }

  async #sessionsEnded(mayWait: () => boolean): Promise<void> {
    while (this.#sessions.size + this.#beginnings > 0 && mayWait()) await delay(STOP_POLL_MS);
  }

  #serve(socket: Parameters<typeof serveConnection>[0]): void {
    const connection = new ExportConnection({
      begin: (request, { signal }) => this.#begin(request, AbortSignal.any([signal, this.#stopping.signal])),
      answer: (request) => this.#answer(request),
      readLong: (text) => this.#parts.parser.readRequest(text),
      ended: (session) => this.#sessions.delete(session),
    });
    serveConnection(socket, connection, this.#log, VERSION).catch((error: unknown) => {
      this.#log.error({ err: error }, 'a connection failed');
      socket.destroy();
    });
  }

  async #answer(request: Extract<AgentRequest, { op: 'statement' | 'ping' }>): Promise<object> {
    if (request.op === 'ping') return this.#status();
    return { statement: await this.#parts.parser.singleStatement(request.query, request) };
  }

  #status(): object {
    const { identifier, region } = this.#config.cluster;
    return {
      version: VERSION,
      cluster: identifier,
      region,
      exports: this.#sessions.size,
      readyPipes: this.#parts.pipes.readyPipes,
    };
  }

  async #begin(request: BeginRequest, signal: AbortSignal): Promise<BegunExport> {
    signal.throwIfAborted();
    this.#outdated.note(request);
    // AWS documents file paths with a leading slash (/exports/query-1-export); the object's key has none.
    const key = request.filePath.replace(/^\//, '');
    validateS3Uri({ bucket: request.bucket, key });
    const { backslashEscapes } = request;
    const options = await this.#parts.parser.copyOptions(request.options, { backslashEscapes, signal });
    signal.throwIfAborted();
    const { compression, copyOptions } = takeCompression(options);
    const layout = copyLayout(copyOptions, request.clientEncoding);
    const region = request.region ?? this.#config.cluster.region;
    await this.#placeFree(signal);
    this.#beginnings += 1;
    try {
      const lease = await this.#parts.s3.forExport({ databaseRole: request.role, region }, { signal });
      try {
        const session = await this.#startSession(request, { key, layout, compression, lease });
        this.#sessions.add(session);
        return {
          session,
          answer: { token: session.token + session.receipt, pipe: session.pipeName, options: copyOptions },
        };
      } catch (error) {
        lease.release();
        throw error;
      }
    } finally {
      this.#beginnings -= 1;
    }
  }

  /**
   * Waits until an export may begin. When all places are taken, but an export is over and only has to be closed, waits
   * a moment for its place: its caller may begin the next export before the agent has closed the first.
   *
   * @throws SluiceError `agent_unavailable` when there is no place
   */
  async #placeFree(signal: AbortSignal): Promise<void> {
    const { max_exports: places } = this.#config.agent;
    const giveUpAt = steadyNow() + PLACE_TIMEOUT_MS;
    while (this.#sessions.size + this.#beginnings >= places) {
      const mayFree = [...this.#sessions].some((session) => session.isOver);
      if (!mayFree || steadyNow() > giveUpAt) {
        throw unavailable(
          `the Sluice agent runs ${places} exports already`,
          'Export again later, or raise agent.max_exports in sluice.toml.',
        );
      }
      await delay(PLACE_POLL_MS);
      signal.throwIfAborted();
    }
  }

  async #startSession(
    request: BeginRequest,
    {
      key,
      layout,
      compression,
      lease,
    }: { key: string; layout: CopyLayout; compression: Compression | undefined; lease: S3Lease },
  ): Promise<ExportSession> {
    const { role, database, pid, bucket, kmsKey } = request;
    const { export: settings } = this.#config;
    const { connection } = lease;
    const pipe = await this.#parts.pipes.take();
    const exportId = ++this.#exportCount;
    const log = this.#log.child({ export: exportId, role, database, backendPid: pid, bucket, key });
    log.info('export begun');
    const journal = this.#parts.cleanUp.journalOf({ region: connection.region, databaseRole: role });
    return new ExportSession({
      pipe,
      log,
      upload: async (source, { signal, confirm }) => {
        try {
          return await exportToS3({
            source,
            connection,
            bucket,
            key,
            ...layout,
            compression: compression?.format,
            compressionLevel: compression?.level,
            // The key is the caller's, so nothing else tells a reader; Aurora's own import goes by this.
            contentEncoding: compression?.format,
            ...(kmsKey === null ? {} : { kmsKeyId: kmsKey }),
            fileLimitBytes: settings.file_limit,
            partSizeBytes: settings.part_size,
            partsInFlight: settings.parts_in_flight,
            memory: this.#memory,
            journal,
            publishedKeys: this.#parts.keys,
            confirm,
            signal,
          });
        } catch (error) {
          // A refusal may mean that the role was deleted and created again. Sessions of the deleted role stay refused,
          // so the next export needs a new session.
          if (isUploadError(error) && error.httpStatus === 403) lease.refused();
          throw error;
        } finally {
          lease.release();
        }
      },
    });
  }
}

function unavailable(message: string, hint: string): SluiceError {
  return new SluiceError('agent_unavailable', message, { hint });
}
