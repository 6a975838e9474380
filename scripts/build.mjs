// npm run build: installs what is missing, and compiles the packages.
import { ensureBuilt } from './ensure-built.mjs';

ensureBuilt();
