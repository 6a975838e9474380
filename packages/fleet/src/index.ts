export type * from './fleet-export.ts';
