import { setTimeout as sleep } from 'node:timers/promises';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { SESSION_COOKIE, SessionCookies } from './session-cookies.ts';
import { basicPassword, isSameSecret } from './token.ts';

const LOGIN_PATH = '/login';
const MAX_FORM_BYTES = 8 * 1024;
/** A wrong token costs this; as many as may wait for it at a time. */
const WRONG_TOKEN_MS = 500;
const MOST_WRONG_AT_A_TIME = 8;

/** Lets in who has the token: in a form, once for a browser, or as the password of HTTP Basic, with each request. */
export class Login {
  readonly #token: string;
  readonly #cookies = new SessionCookies();
  #wrong = 0;

  constructor(token: string) {
    this.#token = token;
  }

  /** The form, and what it sends. */
  routes(): Hono {
    const app = new Hono();
    app.get(LOGIN_PATH, (context) => context.html(page()));
    app.post(LOGIN_PATH, bodyLimit({ maxSize: MAX_FORM_BYTES }), async (context) => {
      const { token } = await context.req.parseBody();
      if (typeof token === 'string' && this.#isToken(token)) {
        const { value, maxAge } = this.#cookies.issue();
        const secure = context.req.header('x-forwarded-proto') === 'https';
        setCookie(context, SESSION_COOKIE, value, {
          maxAge,
          secure,
          httpOnly: true,
          sameSite: 'Strict',
          path: '/',
        });
        return context.redirect('/', 303);
      }
      return (await this.#holdUp(context)) ?? context.html(page('This is not the token.'), 403);
    });
    app.post('/logout', (context) => {
      deleteCookie(context, SESSION_COOKIE, { path: '/' });
      return context.redirect(LOGIN_PATH, 303);
    });
    return app;
  }

  /** Lets nothing else be reached without it. */
  guard(): MiddlewareHandler {
    return async (context, next) => {
      if (this.#cookies.isValid(getCookie(context, SESSION_COOKIE))) return next();
      const password = basicPassword(context.req.header('authorization'));
      if (password !== undefined) {
        if (this.#isToken(password)) return next();
        const refusal = await this.#holdUp(context);
        if (refusal !== undefined) return refusal;
      }
      const isPage =
        context.req.method === 'GET' && context.req.header('accept')?.includes('text/html') === true;
      if (isPage && password === undefined) return context.redirect(LOGIN_PATH, 303);
      // A browser would ask for a user and a password.
      if (context.req.header('sec-fetch-site') === undefined) {
        context.header('WWW-Authenticate', 'Basic realm="sluice fleet", charset="UTF-8"');
      }
      return context.text('The token is missing or wrong.\n', 401);
    };
  }

  #isToken(given: string): boolean {
    return isSameSecret(given, this.#token);
  }

  /** Tokens can't be tried by the thousand. */
  async #holdUp(context: Context): Promise<Response | undefined> {
    if (this.#wrong >= MOST_WRONG_AT_A_TIME) return context.text('Too many wrong tokens.\n', 429);
    this.#wrong += 1;
    await sleep(WRONG_TOKEN_MS);
    this.#wrong -= 1;
    return undefined;
  }
}

function page(problem = '') {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Sluice fleet</title>
        <style>
          body {
            font:
              16px system-ui,
              sans-serif;
            display: grid;
            place-items: center;
            min-height: 90vh;
            color-scheme: light dark;
          }
          form {
            display: grid;
            gap: 0.75rem;
            width: min(22rem, 90vw);
          }
          h1 {
            font-size: 1.25rem;
            margin: 0;
          }
          input,
          button {
            font: inherit;
            padding: 0.5rem 0.75rem;
          }
          p {
            margin: 0;
            color: light-dark(#b00020, #ff8a80);
          }
        </style>
      </head>
      <body>
        <form method="post" action="${LOGIN_PATH}">
          <h1>Sluice fleet</h1>
          <label for="token">Token, of [dashboard] in fleet.toml</label>
          <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
          ${problem === '' ? '' : html`<p role="alert">${problem}</p>`}
          <button>Open the dashboard</button>
        </form>
      </body>
    </html>`;
}
