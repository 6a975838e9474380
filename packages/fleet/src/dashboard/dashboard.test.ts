import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './dashboard.ts';
import { Login } from './login.ts';

const TOKEN = 'a token of more than 16 characters: ü';
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`,
});

let dashboard: Dashboard;
beforeAll(async () => {
  const listen = { host: '127.0.0.1', port: 0 };
  const onError = (error: Error) => {
    throw error;
  };
  dashboard = await Dashboard.start({ queues: [], token: TOKEN, listen, hosts: ['fleet.example'], onError });
});
afterAll(() => dashboard.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${dashboard.url}${path}`, { headers, redirect: 'manual' });
const login = (token: string, headers: Record<string, string> = {}) =>
  fetch(`${dashboard.url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ token }),
    headers: { origin: dashboard.url, ...headers },
    redirect: 'manual',
  });
const cookieOf = ({ headers }: Response) => headers.get('set-cookie')?.split(';')[0] ?? '';

/** fetch takes no Host of the caller's. */
function statusFor(headers: Record<string, string>, path = '/login'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${dashboard.url}${path}`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

it('says where it cannot listen', async () => {
  const port = Number(new URL(dashboard.url).port);
  const again = Dashboard.start({
    queues: [],
    token: TOKEN,
    listen: { host: '127.0.0.1', port },
    onError: () => undefined,
  });
  await expect(again).rejects.toMatchObject({
    message: `the dashboard could not listen on 127.0.0.1:${port}`,
    detail: expect.stringContaining('EADDRINUSE') as unknown,
  });
});

describe('without the token', () => {
  it('shows nothing but the form', async () => {
    for (const path of [
      '/',
      '/queue/exports-sales',
      '/static/js/main.js',
      '/api/queues',
      '/api/redis/stats',
    ]) {
      const answer = await get(path);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(await answer.text()).toBe('The token is missing or wrong.\n');
    }
    const page = await get('/', { accept: 'text/html' });
    expect([page.status, page.headers.get('location')]).toEqual([303, '/login']);
    const form = await get('/login');
    expect(form.status).toBe(200);
    expect(await form.text()).toContain('type="password"');
  });

  it.each(['', 'wrong', TOKEN.slice(0, -1), `${TOKEN}x`])('takes no token %j', async (wrong) => {
    const answer = await login(wrong);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.text()).toContain('This is not the token.');
    expect((await get('/api/queues', basic(wrong))).status).toBe(401);
  });

  it('takes no cookie that it has not issued', async () => {
    const [name = '', value = ''] = cookieOf(await login(TOKEN)).split('=');
    const [end = '', seal = ''] = value.split('.');
    for (const forged of [`${Number(end) + 1}.${seal}`, `${end}.`, end, `.${seal}`, `${end}.${seal}x`, '']) {
      expect((await get('/api/queues', { cookie: `${name}=${forged}` })).status).toBe(401);
    }
  });

  it('answers few wrong tokens at a time', async () => {
    const app = new Login(TOKEN).routes();
    const send = (token: string) =>
      app.request('/login', { method: 'POST', body: new URLSearchParams({ token }) });
    const answers = await Promise.all([...Array.from({ length: 30 }, () => send('wrong')), send(TOKEN)]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 403).length).toBe(8);
    expect(statuses.filter((status) => status === 429).length).toBe(22);
    expect(statuses.at(-1)).toBe(303);
  });

  it('reads no large forms', async () => {
    expect((await login('x'.repeat(20_000))).status).toBe(413);
  });
});

describe('with the token', () => {
  it('is let in by a cookie that no script and no other site gets', async () => {
    const answer = await login(TOKEN);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toContain('token');
    const queues = await get('/api/queues', { cookie: cookieOf(answer) });
    expect(queues.status).toBe(200);
    expect(await queues.json()).toEqual({ queues: [] });
    const page = await get('/', { cookie: cookieOf(answer), accept: 'text/html' });
    expect(await page.text()).toContain('<title>Sluice fleet</title>');
  });

  it('is let in by HTTP Basic', async () => {
    expect((await get('/api/queues', basic(TOKEN))).status).toBe(200);
  });

  it('marks the cookie as one for TLS behind a proxy with TLS', async () => {
    const answer = await login(TOKEN, { 'x-forwarded-proto': 'https' });
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure/);
  });
});

describe('other sites', () => {
  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1:x'])(
    'the name %j is not answered',
    async (host) => {
      expect([400, 421]).toContain(await statusFor({ host }));
    },
  );

  it.each([
    'localhost',
    'localhost:1',
    '127.0.0.1:8433',
    '[::1]:8433',
    '10.0.0.1',
    'fleet.example',
    'FLEET.example:443',
  ])('the name %j is', async (host) => {
    expect(await statusFor({ host })).toBe(200);
  });

  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    {},
  ])('cannot have anything changed: %j', async (headers) => {
    const cookie = cookieOf(await login(TOKEN));
    const answer = await fetch(`${dashboard.url}/api/queues/pause`, {
      method: 'PUT',
      headers: { cookie, ...headers },
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toBe('This request comes from another site.\n');
  });

  it('its own pages are let through, also behind a proxy that changes the name', async () => {
    const headers = { 'sec-fetch-site': 'same-origin', origin: 'https://fleet.example' };
    expect((await login(TOKEN, headers)).status).toBe(303);
    expect((await login(TOKEN, { ...headers, 'sec-fetch-site': 'same-site' })).status).toBe(403);
  });

  it('a program that sends the token itself may send no origin', async () => {
    const answer = await fetch(`${dashboard.url}/api/queues/pause`, { method: 'PUT', headers: basic(TOKEN) });
    expect(answer.status).toBe(200);
  });

  it('cannot frame it, guess its types, or have it load anything from elsewhere', async () => {
    for (const answer of [await get('/login'), await get('/'), await get('/api/queues', basic(TOKEN))]) {
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
