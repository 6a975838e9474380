import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { localCommand } from './command.ts';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = z.object({ version: z.string() }).parse(JSON.parse(manifest));

await localCommand().name('sluice-local').version(version).parseAsync();
