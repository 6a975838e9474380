import { fileURLToPath } from 'node:url';

export interface UnitOptions {
  configFile: string;
  osUser: string;
  /** @default the program of this installation */
  program?: string;
  /** @default the Node.js that is running */
  node?: string;
}

/** A systemd unit that runs an installation's agent as PostgreSQL's operating system user. */
export function systemdUnit({
  configFile,
  osUser,
  program = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url)),
  node = process.execPath,
}: UnitOptions): string {
  return `[Unit]
Description=Sluice agent: exports from PostgreSQL to Amazon S3
After=network-online.target
Wants=network-online.target

[Service]
User=${osUser}
RuntimeDirectory=sluice
RuntimeDirectoryMode=0700
StateDirectory=sluice
StateDirectoryMode=0700
ExecStart=${quote(node)} ${quoteArgument(program)} agent --config ${quoteArgument(configFile)}
Restart=always
RestartSec=1
# Longer than agent.shutdown_timeout: running exports may end.
TimeoutStopSec=60
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=true

[Install]
WantedBy=multi-user.target
`;
}

/** https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html, "Command lines" */
function quote(path: string): string {
  return `"${path.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** systemd expands variables in the arguments, but not in the path of the program. */
function quoteArgument(path: string): string {
  return quote(path).replaceAll('$', '$$$$');
}
