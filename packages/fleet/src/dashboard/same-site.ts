import type { MiddlewareHandler } from 'hono';
import { isIP } from 'node:net';

/**
 * Refuses requests for names that are not this server's. A page elsewhere may have its own name point here (DNS
 * rebinding); it can't have an address do so.
 *
 * @param names beside addresses and localhost
 */
export function onlyHosts(names: readonly string[]): MiddlewareHandler {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return async (context, next) => {
    const name = hostNameIn(context.req.header('host'));
    if (name !== undefined && (known.has(name) || isIP(name) !== 0)) return next();
    return context.text(
      'This name is not one of the dashboard: [dashboard] hosts in fleet.toml lists them.\n',
      421,
    );
  };
}

/**
 * Lets nothing be changed by a page of another site. Browsers say where such a request comes from, in Sec-Fetch-Site, older
 * ones in Origin; programs that say nothing must have sent the token with the request itself.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
export function onlyOwnSite(): MiddlewareHandler {
  return async ({ req, text }, next) => {
    if (req.method === 'GET' || req.method === 'HEAD') return next();
    const site = req.header('sec-fetch-site');
    const origin = req.header('origin');
    const isOwn =
      site !== undefined
        ? site === 'same-origin'
        : origin !== undefined
          ? hostOf(origin) === req.header('host')?.toLowerCase()
          : req.header('authorization') !== undefined;
    return isOwn ? next() : text('This request comes from another site.\n', 403);
  };
}

/** Of `example.com:8433` or `[::1]:8433`, without brackets. */
function hostNameIn(header: string | undefined): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** The scheme is left aside: a proxy may take the TLS off. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
