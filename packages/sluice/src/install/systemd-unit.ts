import { fileURLToPath } from 'node:url';

/** A systemd unit that runs this very installation's agent as PostgreSQL's operating system user. */
export function systemdUnit({ configFile, osUser }: { configFile: string; osUser: string }): string {
  const program = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
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
ExecStart="${process.execPath}" "${program}" agent --config "${configFile}"
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
