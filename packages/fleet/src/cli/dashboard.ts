import { Command } from 'commander';
import { SluiceError } from 'sluice';
import { Interruption } from 'sluice/cli';
import type { FleetConfig } from '../fleet-config.ts';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { withClient } from './with-client.ts';

export function dashboardCommand(): Command {
  return withConfig(new Command('dashboard'))
    .description('serve Bull Board, which shows queues and jobs, to who has the token of [dashboard]')
    .addHelpText(
      'after',
      `
It listens on [dashboard] listen, by default 127.0.0.1:8433, and speaks HTTP:
to reach it from elsewhere, tunnel (ssh -L 8433:127.0.0.1:8433 host), or put a
proxy with TLS in front, and name it in [dashboard] hosts. Programs give the
token as the password of HTTP Basic: curl -u :$TOKEN
http://127.0.0.1:8433/api/queues

Nothing can be changed there: what workers act on is sealed. Use sluice fleet
cancel, pause and resume.

Example:
  sluice fleet dashboard -c fleet.toml`,
    )
    .action(async (flags: ConfigFlag) => {
      const interruption = new Interruption();
      try {
        await withClient(flags, async (client, config) => {
          // With what it needs: the other commands need not pay for it.
          const { Dashboard, isLoopback } = await import('../dashboard/dashboard.ts');
          const { listen, hosts } = config.dashboard;
          const token = await tokenOf(config);
          const queues = client.queues();
          const onError = (error: Error) => void process.stderr.write(`warning: ${error.message}\n`);
          await using dashboard = await Dashboard.start({ queues, token, listen, hosts, onError });
          process.stdout.write(`the dashboard is at ${dashboard.url}; Ctrl-C ends it\n`);
          if (!isLoopback(listen.host)) {
            process.stderr.write(
              `warning: other machines can reach ${listen.host}, and the token crosses the network in clear: put a proxy with TLS in front of it\n`,
            );
          }
          await interrupted(interruption.signal);
        });
      } finally {
        interruption.end();
      }
    });
}

/** Anybody who can reach the dashboard can try tokens. */
const SHORTEST_TOKEN = 16;

async function tokenOf({ path, dashboard: { token: secret } }: FleetConfig): Promise<string> {
  const token = await secret?.read();
  if (token !== undefined && token.length >= SHORTEST_TOKEN) return token;
  throw new SluiceError(
    'config_invalid',
    token === undefined
      ? `the dashboard needs a token: "${path}" has none`
      : `the token of the dashboard is too short: ${SHORTEST_TOKEN} characters at least`,
    {
      hint: 'Make one with openssl rand -hex 24, and name where it is: [dashboard] token_file, token_env or token.',
    },
  );
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
