import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface StsCall {
  action: string;
  parameters: URLSearchParams;
  /** The access key id in the Authorization header. */
  accessKeyId: string | undefined;
  /** The caller's session token; undefined without temporary credentials. */
  sessionToken: string | undefined;
}

/** What the server does with a call. */
export type StsAnswer =
  | { lifetimeMs: number; delayMs?: number }
  | { status: number; code: string; message: string; date?: Date }
  | 'reset'
  | 'hang';

export const CALLER_ARN = 'arn:aws:sts::123456789012:assumed-role/db-host/i-0123456789';

/** An STS that answers what a test wants, also what a real one rarely answers. It verifies no signatures. */
export class FakeSts implements AsyncDisposable {
  readonly calls: StsCall[] = [];
  /** The sessions given out, by access key id. */
  readonly sessions = new Map<string, { secretAccessKey: string; sessionToken: string; expiresAt: Date }>();
  /** Gives the answer to an AssumeRole. */
  answer: (call: StsCall, number: number) => StsAnswer = () => ({ lifetimeMs: 3_600_000 });
  readonly #server = createServer((request, response) => {
    void (async () => {
      const parameters = new URLSearchParams(await text(request));
      const call: StsCall = {
        action: parameters.get('Action') ?? '',
        parameters,
        accessKeyId: /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1],
        sessionToken: request.headersDistinct['x-amz-security-token']?.[0],
      };
      this.calls.push(call);
      if (call.action === 'GetCallerIdentity') {
        response.end(
          `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${CALLER_ARN}</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
        );
        return;
      }
      const number = this.assumed.length;
      const answer = this.answer(call, number);
      if (answer === 'hang') return;
      if (answer === 'reset') {
        request.socket.destroy();
        return;
      }
      if ('code' in answer) {
        if (answer.date !== undefined) response.setHeader('date', answer.date.toUTCString());
        response.writeHead(answer.status, { 'content-type': 'text/xml' });
        response.end(
          `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${answer.code}</Code><Message>${answer.message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
        );
        return;
      }
      const expiresAt = new Date(Date.now() + answer.lifetimeMs);
      const expiration = expiresAt.toISOString();
      this.sessions.set(`ASIA${number}`, {
        secretAccessKey: `secret${number}`,
        sessionToken: `token${number}`,
        expiresAt,
      });
      setTimeout(() => {
        response.end(
          `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA${number}</AccessKeyId><SecretAccessKey>secret${number}</SecretAccessKey><SessionToken>token${number}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
        );
      }, answer.delayMs ?? 0);
    })();
  });

  static async start(): Promise<FakeSts> {
    const sts = new FakeSts();
    sts.#server.listen(0, '127.0.0.1');
    await once(sts.#server, 'listening');
    return sts;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** The AssumeRole calls. */
  get assumed(): readonly StsCall[] {
    return this.calls.filter(({ action }) => action === 'AssumeRole');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
