import { expect, test } from 'vitest';
import { systemdUnit } from './systemd-unit.ts';

test('whatever a folder is called, systemd reads its name from the unit', () => {
  const unit = systemdUnit({
    node: '/opt/node 22/bin/node',
    program: '/srv/100% "free" $HOME \\n/sluice.js',
    configFile: '/etc/sluice/sluice.toml',
    osUser: 'postgres',
  });
  expect(unit).toContain(
    String.raw`ExecStart="/opt/node 22/bin/node" "/srv/100%% \"free\" $$HOME \\n/sluice.js" agent --config "/etc/sluice/sluice.toml"`,
  );
});

test('by default it runs this installation with this Node.js', () => {
  const unit = systemdUnit({ configFile: '/etc/sluice/sluice.toml', osUser: 'postgres' });
  expect(unit).toContain(`ExecStart="${process.execPath}" "/`);
  expect(unit).toContain('/packages/sluice/bin/sluice.js" agent');
});
